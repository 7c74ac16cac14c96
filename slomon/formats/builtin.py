"""
The layouts that are known by name, as one table.

Layouts with the same needed fields differ in what follows: a duration that can be read, or a host.
`signs` is what tells a log of this layout from others that read its lines as well; the layout
itself does not ask for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from slomon.formats.layout import Layout, parse_layout

_ADDRESS: Final = r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[?[0-9a-fA-F]*:[0-9a-fA-F:.]+\]?)"
_HOST: Final = r"[A-Za-z0-9][A-Za-z0-9.-]*"
# The name of a virtual host, with a dot or a port: in its place other servers write a duration, a
# process, a level, whether a cache had the response, or a client with its port.
_NAME: Final = (
    rf"(?:{_HOST}\.[A-Za-z][A-Za-z0-9-]*(?::[0-9]+)?|(?=[^ ]*[A-Za-z]){_HOST}:[0-9]+|localhost)"
)


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """
    A layout by name.

    * `text`: the layout in the notation of `parse_layout`
    * `aliases`: other names for it
    * `signs`: an expression that its lines match from the start, and other lines do not
    """

    name: str
    text: str
    aliases: tuple[str, ...] = ()
    signs: str = ""

    def layout(self) -> Layout:
        """The layout itself."""
        return parse_layout(self.text, self.name)


_COMMON: Final = (
    '$remote_addr $ident $remote_user [$time_local] "$request" $status $body_bytes_sent'
)
_COMBINED: Final = f'{_COMMON} "$http_referer" "$http_user_agent"'
_ENVOY_REQUEST: Final = '[$time_iso8601] "$request" $status'
_ENVOY_END: Final = (
    "$bytes_received $bytes_sent $duration_ms $upstream_service_time "
    '"$x_forwarded_for" "$http_user_agent" "$request_id" "$host" "$upstream_host"'
)
_LOAD_BALANCER: Final = (
    "$time_iso8601 $elb $client $target $request_processing_time $target_processing_time "
    "$response_processing_time $status $target_status $received_bytes $sent_bytes "
    '"$request" "$http_user_agent"'
)
_PROXY_MANAGER: Final = (
    '$status - $request_method $scheme $host "$request_uri" [Client $remote_addr] '
    "[Length $body_bytes_sent] [Gzip $gzip_ratio] "
)
_PROXY_MANAGER_SIGN: Final = '[0-9-]+ - [A-Z-]+ [^ ]+ [^ ]+ "'

BUILT_IN: Final = (
    BuiltIn(
        # https://httpd.apache.org/docs/2.4/logs.html#virtualhost
        "vhost",
        f"$host {_COMBINED}",
        ("vhost_combined",),
        rf"{_NAME} {_ADDRESS} ",
    ),
    BuiltIn(
        # https://redmine.lighttpd.net/projects/lighttpd/wiki/Mod_accesslog
        "lighttpd",
        '$remote_addr $host $remote_user [$time_local] "$request" $status $body_bytes_sent '
        '"$http_referer" "$http_user_agent"',
        signs=rf"{_ADDRESS} {_NAME} [^ ]+ \[",
    ),
    BuiltIn(
        # https://doc.traefik.io/traefik/observe/logs-and-access-logs/
        "traefik",
        f'{_COMBINED} $request_count "$router_name" "$server_url" $duration',
        signs=r'.*" [0-9]+ "[^"]*" "[^"]*" [0-9]+ms$',
    ),
    BuiltIn(
        # https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/log-format/
        "ingress-nginx",
        f"{_COMBINED} $request_length $request_time [$proxy_upstream_name] "
        "[$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length "
        "$upstream_response_time $upstream_status $req_id",
        ("ingress",),
        r'.*" [0-9]+ [0-9]+\.[0-9]{3} \[[^]]*\] \[',
    ),
    BuiltIn(
        # https://apisix.apache.org/docs/apisix/customize-nginx-configuration/
        "apisix",
        '$remote_addr $ident $remote_user [$time_local] $host "$request" $status $body_bytes_sent '
        '$request_time "$http_referer" "$http_user_agent" $upstream_addr $upstream_status '
        '$upstream_response_time "$upstream_url"',
        signs=rf'{_ADDRESS} [^ ]+ [^ ]+ \[[^]]+\] {_NAME} "',
    ),
    BuiltIn("combined", _COMBINED, ("nginx", "apache", "gunicorn", "werkzeug")),
    BuiltIn("common", _COMMON, ("clf",)),
    BuiltIn(
        # https://istio.io/latest/docs/tasks/observability/logs/access-log/
        "istio",
        f"{_ENVOY_REQUEST} $response_flags $response_code_details "
        f'$connection_termination_details "$upstream_transport_failure_reason" {_ENVOY_END} '
        "$upstream_cluster $upstream_local_address $downstream_local_address "
        "$downstream_remote_address $requested_server_name $route_name",
        signs=r'[^"]*"[^"]*" [0-9-]+ [^ "]+ [^ "]+ [^ "]+ "',
    ),
    BuiltIn(
        # https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log
        "envoy",
        f"{_ENVOY_REQUEST} $response_flags {_ENVOY_END}",
    ),
    BuiltIn("envoy-custom", f"{_ENVOY_REQUEST} $response_flags"),
    BuiltIn(
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/
        # load-balancer-access-logs.html
        "alb",
        f"$type {_LOAD_BALANCER}",
    ),
    BuiltIn(
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html
        "clb",
        _LOAD_BALANCER,
        ("elb",),
    ),
    BuiltIn(
        # https://docs.haproxy.org/3.0/configuration.html#8.2.3
        "haproxy",
        "$client [$time_local] $frontend $backend/$server $queue_time/$wait_time/$connect_time/"
        "$response_time/$duration_ms $status $bytes_read $request_cookie $response_cookie "
        '$termination_state $connections $queues "$request"',
    ),
    BuiltIn(
        # https://wiki.squid-cache.org/Features/LogFormat
        "squid",
        "$msec $duration_ms $remote_addr $result/$status $bytes $request_method $request_uri "
        "$remote_user $hierarchy/$server $content_type",
        signs=rf"[0-9]+\.[0-9]{{3}} +[0-9]+ {_ADDRESS} [A-Z_]+/[0-9]{{3}} ",
    ),
    BuiltIn(
        # https://uwsgi-docs.readthedocs.io/en/latest/LogFormat.html
        "uwsgi",
        "[pid: $pid|app: $app_id|req: $number] $remote_addr ($remote_user) {$sizes} [$time_ctime] "
        "$request_method $request_uri => generated $bytes bytes in $duration "
        "($server_protocol $status) $headers",
    ),
    BuiltIn(
        # https://docs.litespeedtech.com/lsws/cp/cpanel/logs/
        "litespeed",
        '["$server_name"] [$time_local] $remote_addr $request $status **$transport** $cipher '
        '"$content_type" "$cache" $body_bytes_sent $duration "$http_referer" "$http_user_agent"',
    ),
    BuiltIn(
        # https://github.com/gin-gonic/gin/blob/master/logger.go
        "gin",
        '[GIN] $time_slashes | $status | $duration | $remote_addr | $request_method "$request_uri"',
    ),
    BuiltIn(
        # https://github.com/django/django/blob/main/django/core/servers/basehttp.py
        "django",
        '[$time_local] "$request" $status $body_bytes_sent',
    ),
    BuiltIn(
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
        "s3",
        "$bucket_owner $bucket [$time_local] $remote_addr $requester $request_id $operation $key "
        '"$request" $status $error_code $bytes_sent $object_size $duration_ms',
        signs=r"[^ ]+ [^ ]+ \[[^]]+\] [^ ]+ [^ ]+ [^ ]+ [A-Z]+\.[A-Z0-9_.]+ ",
    ),
    # https://github.com/NginxProxyManager/nginx-proxy-manager, log.conf
    BuiltIn(
        "nginx-proxy-manager",
        f"[$time_local] $upstream_cache_status $upstream_status {_PROXY_MANAGER}",
        signs=rf"\[[^]]+\] [^ ]+ [0-9-]+ {_PROXY_MANAGER_SIGN}",
    ),
    BuiltIn(
        "nginx-proxy-manager-standard",
        f"[$time_local] {_PROXY_MANAGER}",
        signs=rf"\[[^]]+\] {_PROXY_MANAGER_SIGN}",
    ),
)
"""In order of priority: of layouts that read as many lines, the first is chosen."""

SIGNS: Final = {built_in.name: built_in.signs for built_in in BUILT_IN if built_in.signs}
"""The signs of known layouts by their names."""

ALIASES: Final = {alias: built_in.name for built_in in BUILT_IN for alias in built_in.aliases}
"""The names of known layouts by their other names."""
