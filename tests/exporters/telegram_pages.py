"""Pages of Telegram's HTML, invented in a line each."""

from zoneinfo import ZoneInfo

from exporters import find_exporter
from exporters.folders import find_files
from exporters.sources import Reading, sources_in
from exporters.telegram_html import TELEGRAM_HTML
from likeness.messages import Message

WHEN = "14.07.2024 10:00:00 UTC+01:00"


def words(text):
    return f'<div class="text">\n{text}\n   </div>'


def message(number, inner="", name="Mira", date=WHEN):
    speaker = f'<div class="from_name">\n{name} \n</div>' if name else ""
    joined = "" if name else " joined"
    return (
        f'\n <div class="message default clearfix{joined}" id="message{number}">\n'
        f'<div class="body"><div class="pull_right date details" title="{date}">10:00</div>'
        f"{speaker}{inner or words(f't{number}')}</div></div>\n"
    )


def service(number, text="14 July 2024"):
    return (
        f'<div class="message service" id="message{number}">'
        f'<div class="body details">{text}</div></div>'
    )


def page(*entries, title="Mira", end="</div></body></html>"):
    header = f'<div class="page_header"><div class="text bold">{title}</div></div>'
    return (
        f'<!DOCTYPE html><html><body>{header if title else ""}<div class="history">'
        f"{''.join(entries)}{end}"
    )


def read_pages(folder, files, zone="Europe/Berlin", include=()):
    """Write files and read all pages among them; return the records, and a reading a page."""
    files = files if isinstance(files, dict) else {"messages.html": files}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    records, readings = [], []
    for file in find_files(folder):
        (source,) = sources_in(file, file.name)
        if find_exporter(source) is TELEGRAM_HTML:
            reading = Reading(ZoneInfo(zone), zone_name=zone, include=frozenset(include))
            records.extend(TELEGRAM_HTML.read(source, reading))
            readings.append(reading)
    return records, readings


def said(records):
    return [(record.speaker, record.text) for record in records if isinstance(record, Message)]


def kinds(records):
    return [record.kind for record in records if isinstance(record, Message)]
