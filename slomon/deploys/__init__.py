"""Deploy histories: from change files to changes with the ticks of their deploys."""
