"""Wrong ones: a module for each design, with the name of the right one."""
