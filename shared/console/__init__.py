"""The console's pages. Start at `site`: it checks the viewer, and has the page of each path.

pages      files (lists, live) · file (one file, its runs) · failed · queues · pipeline_page (graphs, drawing)
actions    rerun · uploads (signs what the page uploads) · queues
platform   visit (a request to a page) · access (viewers, actions of other sites) · rendering (templates) · words
           assets (scripts and styles) · recent (lists shared by all viewers)
"""

from shared.console.site import Site

__all__ = ["Site"]
