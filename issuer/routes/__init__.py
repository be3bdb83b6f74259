"""HTTP in and out: routes read the request, call the step, and shape the answer."""
