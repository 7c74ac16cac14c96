"""Reports of a run: HTML page, terminal report, data frames and files of incidents."""
