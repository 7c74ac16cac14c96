"""What is known of a run, told: to programs, to spreadsheets and data frames, and to people."""
