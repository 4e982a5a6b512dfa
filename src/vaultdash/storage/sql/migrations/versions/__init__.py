"""One module a layout; a module that was released is never changed."""
