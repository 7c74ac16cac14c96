"""Replays and watches access logs on a cluster of Apache Spark; needs `slomon[spark]`."""

from slomon.errors import ConfigurationError

try:
    from slomon.integrations.spark.batch import replay_spark, to_spark
    from slomon.integrations.spark.streaming import read_spark, watch_spark
except ModuleNotFoundError as error:
    if error.name not in {"numpy", "pyarrow"}:
        raise
    raise ConfigurationError(
        f"accesses are packed for Spark by {error.name}, which is not installed; needed: "
        "pip install 'slomon[spark]'"
    ) from None

__all__ = ["read_spark", "replay_spark", "to_spark", "watch_spark"]
