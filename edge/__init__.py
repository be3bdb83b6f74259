"""The door of every service: what comes in is bounded and strict, what goes out is bounded and goes nowhere private."""
