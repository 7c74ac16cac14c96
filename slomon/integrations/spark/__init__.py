"""Replays and watches access logs on a cluster of Apache Spark; needs `slomon[spark]`."""

from slomon.integrations.spark.batch import replay_spark, to_spark
from slomon.integrations.spark.streaming import read_spark, watch_spark

__all__ = ["read_spark", "replay_spark", "to_spark", "watch_spark"]
