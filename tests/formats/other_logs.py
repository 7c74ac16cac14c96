"""Lines of logs that are no access logs, as programs write them. `{n}` and `{d}` are drawn."""

from __future__ import annotations

# ruff: noqa: E501 (log lines are long)
from typing import Final

LINES: Final = {
    "nginx error": '2023/11/29 13:20:00 [error] 29#29: *{n} connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.1, server: , request: "GET /cart HTTP/1.1", upstream: "http://192.0.2.9:80/cart", host: "www.example.com"',
    "apache error": "[Wed Oct 11 14:32:5{d} 2023] [error] [client 127.0.0.1] client denied by server configuration: /export/home/live/ap/htdocs/test",
    "apache 2.4 error": "[Fri Sep 09 10:42:2{d}.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187] File does not exist: /usr/local/apache2/htdocs/favicon.ico",
    "postgres": "2024-03-12 15:03:2{d}.123 UTC [4{n}] app@shop LOG:  duration: 200.{n} ms  statement: SELECT * FROM carts WHERE path = '/cart' AND method = 'GET'",
    "mysql slow": "# Time: 2024-03-12T15:03:2{d}.123456Z  # User@Host: app[app] @ localhost []  Id: {n}  # Query_time: 3.{n}  Lock_time: 0.0 Rows_sent: 200  Rows_examined: 404",
    "postfix": "Mar 12 15:03:2{d} mail postfix/smtp[2{n}]: 4F{n}: to=<a@example.com>, relay=mx.example.com[192.0.2.5]:25, delay=0.{n}, delays=0.1/0/0.1/0.2, dsn=2.0.0, status=sent (250 2.0.0 OK)",
    "sshd": "Mar 12 15:03:2{d} web1 sshd[2{n}]: Failed password for invalid user admin from 192.0.2.8 port 5{n} ssh2",
    "python logging": "2024-03-12 15:03:2{d},123 INFO app.cart: user {n} added item 404 to cart in 200 ms",
    "java": "2024-03-12 15:03:2{d}.123  INFO 1 --- [nio-8080-exec-1] c.e.s.CartController : GET /cart for user {n}",
    "log4j error": "2024-03-12 15:03:2{d},123 [main] ERROR com.example.Shop - Request processing failed: GET /api/cart?id={n} java.lang.IllegalStateException",
    "kernel": "[ 12{n}.123456] usb 1-1: new high-speed USB device number {d} using xhci_hcd",
    "k8s event": '{d}m          Warning   Unhealthy   pod/web-{n}   Readiness probe failed: Get "http://10.0.0.1:8080/health": context deadline exceeded',
    "klog": 'I0312 15:03:2{d}.123456       1 controller.go:200] "Reconciling" path="/apis/apps/v1" id="{n}"',
    "redis": "1:M 12 Mar 2024 15:03:2{d}.123 * {n} changes in 300 seconds. Saving...",
    "mongodb": '{{"t":{{"$date":"2024-03-12T15:03:2{d}.123Z"}},"s":"I","c":"COMMAND","id":51803,"ctx":"conn{n}","msg":"Slow query","attr":{{"durationMillis":200}}}}',
    "cron": "Mar 12 15:0{d}:01 web1 CRON[{n}]: (root) CMD (curl http://localhost/health > /dev/null)",
    "bind": "12-Mar-2024 15:03:2{d}.123 queries: info: client @0x7f 192.0.2.1#5{n} (www.example.com): query: www.example.com IN A +E(0)K (192.0.2.53)",
    "squid cache store": "1710255{n}.123 RELEASE -1 FFFFFFFF 8D{n} 200 1710255 -1 -1 text/html 512/512 GET",
    "iptables": "Mar 12 15:03:2{d} fw kernel: [{n}.1] DROP IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 LEN=200 TTL=404 PROTO=TCP SPT={n} DPT=443",
    "ftp xfer": "Tue Mar 12 15:03:2{d} 2024 1 192.0.2.1 {n} /home/ana/a.txt b _ o r ana ftp 0 * c",
    "rails start": 'I, [2024-03-12T15:03:2{d}.123456 #{n}]  INFO -- : Started GET "/cart" for 192.0.2.1 at 2024-03-12 15:03:20 +0000',
    "rails done": "I, [2024-03-12T15:03:2{d}.123456 #{n}]  INFO -- : Completed 200 OK in {n}ms (Views: 10.1ms | ActiveRecord: 2.0ms)",
    "rabbit": "2024-03-12 15:03:2{d}.123456+00:00 [info] <0.{n}.0> connection <0.{n}.0> (192.0.2.1:5{n} -> 192.0.2.2:5672): user 'app' authenticated",
    "elastic": "[2024-03-12T15:03:2{d},123][INFO ][o.e.c.m.MetadataMappingService] [node-1] [shop/{n}] update_mapping [_doc]",
    "celery": "[2024-03-12 15:03:2{d},123: INFO/ForkPoolWorker-{d}] Task shop.tasks.fetch[{n}] succeeded in 0.{n}s: 200",
    "haproxy tcp": "Mar 12 15:03:2{d} lb haproxy[{n}]: 192.0.2.1:5{n} [12/Mar/2024:15:03:20.123] mysql db/db1 1/0/{n} 512 -- 10/5/2/1/0 0/0",
    "go panic": "goroutine {n} [running]: main.handler(0xc000{n}) /src/main.go:200 +0x1d GET /cart",
}
