"""The console's pages. Start at `site`: it checks the viewer, and has the page of each path.

pages      files (lists, live) · file (one file: `run_view` its runs, `excerpts` its texts, `waveform`) · failed · queues
           pipeline_page (drawing)
actions    reruns · uploads (signs what the page uploads) · queues
platform   visit (a request to a page) · access (viewers) · protection (from other sites) · rendering (templates) · words
           reasons · kinds (of files) · addresses · preview (signed links to pictures and outputs)
           static_files (scripts and styles) · recent (lists shared by all viewers)
"""

from shared.console.site import RETRY_SECONDS, Site

__all__ = ["RETRY_SECONDS", "Site"]
