"""Web pages of Markdown texts. Their styles hold in <main> only, since the first page of the report has one inside."""

import html
import re

import markdown

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
main {{ font: 15px/1.45 sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; }}
main table {{ border-collapse: collapse; margin: 1em 0; }}
main th, main td {{ border-bottom: 1px solid #ddd; padding: 0.3em 0.7em; text-align: left; vertical-align: top; }}
main th {{ border-bottom: 2px solid #888; }}
main pre {{ background: #f4f4f4; padding: 1em; overflow-x: auto; }}
.holds {{ background: #d9f0d3; }}
.holds-in-part {{ background: #fff2c6; }}
.needs-more-seeds, .depends-on-the-word {{ background: #e4ecf7; }}
.fails {{ background: #f9d3cd; }}
.not-testable {{ background: #eee; }}
</style>
<main>
{body}
</main>
</html>
"""


def to_html(text: str) -> str:
    """A page of its own that shows a Markdown text, titled by its first line.

    Cells of tables that begin with a verdict of the scorecard take that verdict's colour.
    """
    body = markdown.markdown(text, extensions=["tables", "fenced_code"])
    body = re.sub(
        r"<td>(?=\(?(?:<strong>)?(holds in part|holds|needs more seeds|depends on the word|fails|not testable)\b)",
        lambda cell: f'<td class="{cell[1].replace(" ", "-")}">',
        body,
    )
    return PAGE.format(title=html.escape(text.partition("\n")[0].lstrip("# ")), body=body)
