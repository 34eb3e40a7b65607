"""Pages that teach: what is written, what runs, what is asked, what is right."""

from qloom.learning.answers import Answer, check
from qloom.learning.finding import ROADS, find_page, lessons, page_folder, tutorials
from qloom.learning.pages import Exercise, Page, Part, read_page
from qloom.learning.running import PageRun, differences

__all__ = [
    "ROADS", "Answer", "Exercise", "Page", "PageRun", "Part", "check", "differences", "find_page", "lessons",
    "page_folder", "read_page", "tutorials",
]  # fmt: skip
