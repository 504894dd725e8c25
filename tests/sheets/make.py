"""Makes the workbooks and CSV files of this folder, as charities make them: pip install openpyxl==3.1.5; python3 make.py

What each must give stands in expected.json.
"""

import datetime as dt
import zipfile
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904

HERE = Path(__file__).parent
DATE, TIME = dt.date, dt.time
AT = dt.datetime


def workbook(name, rows, formats=None, start=(1, 1), prepare=None):
    """A workbook whose first sheet has these rows, from the cell `start`."""
    book = Workbook()
    if prepare:
        prepare(book)
    sheet = book.active
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            cell = sheet.cell(row=start[0] + r, column=start[1] + c)
            cell.value = value
            if r == 0:
                cell.font = Font(bold=True)
            elif formats and c in formats:
                cell.number_format = formats[c]
    book.save(HERE / name)


def by_hand(name, sheet, shared=None):
    """A workbook with this XML for its sheet's rows, for what openpyxl doesn't write."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    pack = "http://schemas.openxmlformats.org/package/2006"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{pack}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{pack}/relationships"><Relationship Id="r1" Type="{rel}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets><sheet name="Groups" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{pack}/relationships"><Relationship Id="r1" '
        f'Type="{rel}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{rel}/sharedStrings" '
        'Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    if shared:
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{main}" uniqueCount="{len(shared)}">' + "".join(shared) + "</sst>"
    with zipfile.ZipFile(HERE / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in parts.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 11, 1, 0, 0, 0)), head + text, zipfile.ZIP_DEFLATED)


def texts(*cells):
    """Cells with their text inside."""
    return "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)


def text(name, content, encoding="utf-8"):
    (HERE / name).write_bytes(content.encode(encoding))


PLAIN = ["external_id", "title", "pillar", "delivery", "venue", "local_start", "time_zone", "duration_minutes"]
WHERE = "walton-life-rooms"

# Columns as in the template, with real dates.
workbook("template-filled.xlsx", [
    PLAIN + ["recurrence", "capacity"],
    ["walton-tue", "Shared Reading", "community", "in_person", WHERE, AT(2027, 1, 5, 13), "Europe/London", 90, "FREQ=WEEKLY;COUNT=3", 12],
])
# A volunteer's own words for everything.
workbook("volunteers-words.xlsx", [
    ["Ref", "Group", "Pillar", "How", "Where", "Start", "How long", "How often", "Last date", "Places"],
    ["W1", "Read & chat", "Community", "In person", "Life Rooms Walton", AT(2027, 1, 5, 13), "1h30", "weekly", DATE(2027, 1, 19), 12],
    ["W2", "Zoom readers", "Community", "Zoom", None, AT(2027, 1, 6, 18, 30), "an hour", "every 2 weeks", DATE(2027, 2, 3), None],
])
# A date, a start and a finish, each in its own column and format.
workbook("date-start-finish.xlsx", [
    ["ID", "Name", "Pillar", "Delivery", "Venue", "Date", "Start time", "Finish time"],
    [101, "Choir", "Learning", "Face to face", "Liverpool Central Library", DATE(2027, 3, 29), TIME(10, 0), TIME(11, 30)],
    [102, "Choir", "Learning", "Face to face", "LIVERPOOL CENTRAL LIBRARY", DATE(2027, 4, 5), TIME(10, 0), TIME(12, 0)],
], {5: "dd/mm/yyyy", 6: "h:mm AM/PM", 7: "hh:mm"})
# The day of the week beside the date, and the time from start to end.
workbook("day-date-and-span.xlsx", [
    ["ID", "Session", "Pillar", "Delivery", "Location", "Day", "Date", "Time"],
    ["a", "Art", "Community", "in person", "Bootle Life Rooms", "Tuesday", "5 Jan 2027", "1pm-2.30pm"],
    ["b", "Art", "Community", "in person", "Life Rooms Bootle", "Thu", "7th January 2027", "10-11.30am"],
])
# Every way to write a date.
workbook("dates-as-text.xlsx", [
    ["ID", "Title", "Pillar", "Delivery", "Start", "Minutes"],
    ["a", "Poems", "community", "Online", "5/1/27 13:00", 60],
    ["b", "Poems", "community", "Online", "05-01-2027 1:00 PM", "60 mins"],
    ["c", "Poems", "community", "Online", "Tue 5 January 2027, 1pm", "1 hour"],
    ["d", "Poems", "community", "Online", "2027-01-05 13.00", "1:00"],
])
# A table that begins at C3, with gaps between its rows and columns.
workbook("gaps.xlsx", [
    ["ID", None, "Title", "Pillar", "Delivery", "Start", "Duration (minutes)", None],
    [None] * 8,
    ["a", None, "Tea", "Community", "Online", AT(2027, 1, 5, 9, 5), 60, None],
    [None] * 8,
    [" b ", None, " Tea ", "Community", "Online", AT(2027, 1, 6, 9, 5), 60.0, " "],
], start=(3, 3))
# Lists to choose from on a hidden sheet before, and notes on one behind.
def lists(book):
    hidden = book.create_sheet("Lists", 0)
    hidden.append(["Pillars"])
    hidden.sheet_state = "hidden"
    book.active = 1
    book.create_sheet("Notes").append(["Ask Jo about the room"])
workbook("hidden-lists.xlsx", [
    ["ID", "Title", "Pillar", "Delivery", "Start", "Duration"],
    ["a", "Tea", "Learning", "Online", AT(2027, 1, 5, 9), "45 mins"],
], prepare=lists)
# A Macintosh of long ago counts days from 1904.
def mac(book):
    book.epoch = CALENDAR_MAC_1904
workbook("macintosh.xlsx", [
    ["ID", "Title", "Pillar", "Delivery", "Start", "Duration"],
    ["a", "Tea", "Learning", "Online", AT(2027, 1, 5, 9, 40), "45"],
], prepare=mac)
# Term time: weekly, but not in half term.
workbook("term-time.xlsx", [
    ["ID", "Title", "Pillar", "Delivery", "Start", "Duration", "Repeats", "Until", "Not on"],
    ["a", "ESOL", "Learning", "Online", "2/2/27 10:00", "2 hours", "Tuesdays and Thursdays", "25 Feb 2027", "16/2/27, 18 Feb 2027"],
    ["b", "ESOL 2", "Learning", "Online", "2/2/27 14:00", "2 hours", "Fortnightly", "16/3/2027", "16 February 2027 and 2/3/27"],
])
workbook("monthly.xlsx", [
    ["ID", "Title", "Pillar", "Delivery", "Start", "Duration", "Frequency", "Number of sessions"],
    ["a", "Book club", "Community", "Online", AT(2027, 1, 12, 18), 60, "2nd Tuesday of the month", 3],
    ["b", "Coffee", "Community", "Online", AT(2027, 1, 29, 10), 60, "monthly on the last Friday", 2],
    ["c", "Open day", "Community", "Online", AT(2027, 1, 15, 10), 60, "One-off", 1],
    ["d", "Walk", "Community", "Online", AT(2027, 1, 15, 11), 60, "daily", 2],
])
# Questions with yes and no.
workbook("yes-and-no.xlsx", [
    ["ID", "Title", "Pillar", "Delivery", "Start", "Duration", "Booking", "Published", "Topics", "Access"],
    ["a", "Tea", "Community", "Online", AT(2027, 1, 5, 9), 60, "No", "Yes", "Creative Writing | Reading", "Step-free"],
    ["b", "Tea 2", "Community", "Online", AT(2027, 1, 5, 9), 60, "Booking required", True, None, None],
    ["c", "Tea 3", "Social prescribing", "Online", AT(2027, 1, 5, 9), 60, "By referral", "No", None, None],
])
workbook("programme-by-name.xlsx", [
    ["ID", "Title", "Project", "Pillar", "Delivery", "Where", "Start", "Duration"],
    ["a", "Reading", "Shared Reading", "Community", "In-person", "life rooms, southport", AT(2027, 1, 5, 9), "90 minutes"],
])
# Formulas whose values a spreadsheet program has kept, and text in two colours.
by_hand("formulas-with-values.xlsx",
    f'<row r="1">{texts("ID", "Title", "Pillar", "Delivery", "Start", "Duration")}</row>'
    '<row r="2"><c r="A2" t="str"><f>"a"&amp;1</f><v>a1</v></c><c r="B2" t="s"><v>0</v></c><c r="C2" t="s"><v>1</v></c>'
    '<c r="D2" t="inlineStr"><is><t>Online</t></is></c><c r="E2" t="inlineStr"><is><t>5/1/27 9am</t></is></c>'
    '<c r="F2"><f>30*2</f><v>60</v></c><c r="G2" t="str"><f>IF(A2="","x","")</f><v></v></c></row>',
    ["<si><r><t xml:space=\"preserve\">Tea </t></r><r><rPr><b/></rPr><t>&amp; talk</t></r></si>", "<si><t>Community</t></si>"])
# Programs that write neither positions nor texts apart.
by_hand("no-positions.xlsx",
    f'<row>{texts("ID", "Title", "Pillar", "Delivery", "Start", "Duration")}</row><row/>'
    f'<row>{texts("a", "Caf&#233; &lt;3", "Community", "Online", "5 Jan 2027 9am", "1 hr 15 mins")}</row>')

CSV = "ID,Title,Pillar,Delivery,Where,Start,Duration\n"
text("excel-uk.csv", (CSV + "a,Tea,Community,In person,Life Rooms Walton,05/01/2027 13:00,90\n").replace("\n", "\r\n"))
text("windows-1252.csv", CSV + "a,Café – “Tea”,Community,In person,Life Rooms Walton,05/01/2027 13:00,90\n", "cp1252")
text("unicode-text.txt", (CSV + "a,Café,Community,In person,Life Rooms Walton,05/01/2027 13:00,90\n").replace(",", "\t").replace("\n", "\r\n"), "utf-16")
text("sep-line.csv", "sep=;\r\n" + (CSV + "a,Tea,Community,In person,Life Rooms Walton,05.01.2027 13:00,90\n").replace(",", ";").replace("\n", "\r\n"))
text("empty-all-over.csv", ",,,,,,,,\n,ID,,Title,Pillar,Delivery,Start,Duration,\n,,,,,,,,\n,a,,Tea,Community,Online,5 Jan 27 1pm,90,\n,,,,,,,,\n")
text("google-forms.csv", 'Reference,Session name,Pillar,In person or online,Venue name,Start date,Start time,End time\n'
    '"1","Knit, and natter",Community,In person,Life Rooms Walton,05/01/2027,13:00:00,14:30:00\n')

# What is refused, with what a volunteer is told.
workbook("title-above.xlsx", [
    ["The Reader: groups in spring"], ["Please ask Jo"],
    ["ID", "Title", "Pillar", "Delivery", "Start", "Duration"],
    ["a", "Tea", "Community", "Online", AT(2027, 1, 5, 9), 60],
])
workbook("wrong-venue.xlsx", [
    ["ID", "Title", "Pillar", "Delivery", "Where", "Start", "Duration"],
    ["a", "Tea", "Community", "In person", "Central Library", AT(2027, 1, 5, 9), 60],
    ["b", "Tea", "Community", "In person", "Life Room Waltn", AT(2027, 1, 5, 9), 60],
])
workbook("columns-of-our-own.xlsx", [
    ["ID", "Title", "Pillar", "Delivery", "Start", "Duration", "Tea or coffee", "Venu"],
    ["a", "Tea", "Community", "Online", AT(2027, 1, 5, 9), 60, "tea", None],
])
workbook("two-columns-for-one.xlsx", [
    ["ID", "Title", "Pillar", "Delivery", "Venue", "Where", "Start", "Duration"],
    ["a", "Tea", "Community", "Online", None, None, AT(2027, 1, 5, 9), 60],
])
# openpyxl keeps no values of formulas.
workbook("formulas-without-values.xlsx", [
    ["ID", "Title", "Pillar", "Delivery", "Start", "Duration", "Capacity"],
    ["a", "Tea", "Community", "Online", AT(2027, 1, 5, 9), "=30*2", 5],
    ["b", "Tea", "Community", "Online", "=E2+7", 60, "#REF!"],
])
workbook("wrong-cells.xlsx", [
    ["ID", "Title", "Pillar", "Delivery", "Day", "Date", "Time", "Duration", "Repeats", "Until", "Not on"],
    ["a", "Tea", "Community", "Online", None, "31/2/27", "1pm", "90", "now and then", None, None],
    ["b", "Tea", "Community", "Online", "Wednesday", "5/1/27", "1pm", "ninety", "weekly", "1/13/27", "4/5/27, soon"],
    ["c", "Tea", "Community", "Online", None, "5/1/27", "13", "90", None, "5/2/27", None],
    ["d", "Tea", "Community", "By post", None, "5/1/27", None, "90", None, None, None],
])
