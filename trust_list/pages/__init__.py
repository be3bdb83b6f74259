"""What people see of trust lists: the data of each page, worded, and the templates that show it."""
