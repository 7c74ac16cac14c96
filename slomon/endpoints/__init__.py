"""What is watched: endpoint files, templates of resources, and endpoints that logs show."""
