"""Replays and watches access logs on a cluster of Apache Spark; needs `slomon[spark]`."""

from slomon.integrations.spark.batch import replay_spark, to_spark

__all__ = ["replay_spark", "to_spark"]
