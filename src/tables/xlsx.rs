//! Tables as workbooks of Excel. Rows go to a file while they are written, so that a long table takes little memory.
//!
//! Every text is written as a text: a spreadsheet shows it and never takes it for a formula.

use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, DocProperties, ExcelDateTime, Format, FormatAlign, Formula,
    Workbook as Book, Worksheet, XlsxError,
};

use super::{Cell, Writer};
use crate::error::{Error, Kind, Result};

/// So many rows below the last one that is filled have the lists too.
const ROWS_TO_FILL: u32 = 500;
/// The longest text of an input message.
const LONGEST_HINT: usize = 255;
/// How wide columns are, in letters.
const WIDTH: f64 = 18.0;

/// What can be chosen in a column, and what to know about it.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The column, from 0.
    pub column: u16,
    /// What can be chosen. Empty: anything can be written.
    pub items: Vec<String>,
    /// What is shown when somebody stands on a cell of the column.
    pub hint: String,
}

/// A table as a workbook.
pub struct Workbook {
    book: Book,
    sheet: Worksheet,
    /// The row that comes next.
    next: u32,
    times: Format,
    texts: Format,
    wrong: Format,
    choices: Vec<Choice>,
}

impl Workbook {
    /// A workbook with one sheet that has these names.
    ///
    /// # Errors
    /// Never in practice.
    pub fn new(names: &[&str]) -> Result<Self> {
        let mut book = Book::new();
        // The same table has the same bytes, and so the same ETag.
        let made = ExcelDateTime::from_ymd(2027, 1, 1).map_err(failed)?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&made));
        let mut sheet = book.new_worksheet_with_constant_memory().map_err(failed)?;
        let header = Format::new().set_bold();
        let columns = u16::try_from(names.len()).unwrap_or(u16::MAX);
        sheet.set_freeze_panes(1, 0).map_err(failed)?;
        for (column, name) in (0..columns).zip(names) {
            sheet.set_column_width(column, WIDTH).map_err(failed)?;
            sheet.write_string_with_format(0, column, *name, &header).map_err(failed)?;
        }
        Ok(Self {
            book,
            sheet,
            next: 1,
            times: Format::new().set_num_format("yyyy-mm-dd hh:mm").set_align(FormatAlign::Top),
            // As text: a spreadsheet keeps a telephone number's first 0.
            texts: Format::new().set_num_format("@").set_align(FormatAlign::Top),
            wrong: Format::new()
                .set_num_format("@")
                .set_align(FormatAlign::Top)
                .set_background_color(Color::RGB(0xFF_E0_E0)),
            choices: Vec::new(),
        })
    }

    /// Lets people choose what a column holds.
    pub fn offer(&mut self, choices: Vec<Choice>) {
        self.choices = choices;
    }

    fn write(&mut self, cells: &[Cell], texts: &Format) -> Result<()> {
        for (column, cell) in (0..).zip(cells) {
            let written = match cell {
                Cell::Empty => continue,
                Cell::Text(text) => self.sheet.write_string_with_format(self.next, column, text, texts),
                Cell::Number(number) => self.sheet.write_number(self.next, column, *number),
                Cell::Time(time) => self.sheet.write_datetime_with_format(self.next, column, time, &self.times),
            };
            written.map_err(failed)?;
        }
        self.next += 1;
        Ok(())
    }

    /// Writes the lists on a sheet of their own, which is hidden: a list in the sheet itself has 255 letters at most.
    fn add_choices(&mut self) -> Result<()> {
        let mut lists = self.book.new_worksheet_with_constant_memory().map_err(failed)?;
        lists.set_name("Lists").map_err(failed)?;
        lists.set_hidden(true);
        let last = self.next + ROWS_TO_FILL;
        let longest = self.choices.iter().map(|choice| choice.items.len()).max().unwrap_or_default();
        // Row by row, as they go to the file.
        for row in 0..longest {
            for (column, choice) in (0..).zip(&self.choices) {
                if let Some(item) = choice.items.get(row) {
                    let row = u32::try_from(row).map_err(Error::internal)?;
                    lists.write_string(row, column, item).map_err(failed)?;
                }
            }
        }
        for (column, choice) in (0..).zip(&self.choices) {
            let hint: String = choice.hint.chars().take(LONGEST_HINT).collect();
            let rule = match choice.items.len() {
                0 => DataValidation::new().allow_any_value(),
                count => {
                    let letters = rust_xlsxwriter::utility::column_number_to_name(column);
                    let list = Formula::new(format!("=Lists!${letters}$1:${letters}${count}"));
                    // Another word is taken if the server knows it, such as the slug of a venue.
                    DataValidation::new().allow_list_formula(list).set_error_style(DataValidationErrorStyle::Warning)
                }
            };
            let rule = rule.set_input_message(hint).map_err(failed)?;
            self.sheet.add_data_validation(1, choice.column, last, choice.column, &rule).map_err(failed)?;
        }
        let sheet = std::mem::replace(&mut self.sheet, Worksheet::new());
        self.book.push_worksheet(sheet);
        self.book.push_worksheet(lists);
        Ok(())
    }
}

impl Writer for Workbook {
    fn row(&mut self, cells: &[Cell]) -> Result<()> {
        let texts = self.texts.clone();
        self.write(cells, &texts)
    }

    fn wrong_row(&mut self, cells: &[Cell]) -> Result<()> {
        let wrong = self.wrong.clone();
        self.write(cells, &wrong)
    }

    fn end(mut self: Box<Self>) -> Result<Vec<u8>> {
        if self.choices.is_empty() {
            let sheet = std::mem::replace(&mut self.sheet, Worksheet::new());
            self.book.push_worksheet(sheet);
        } else {
            self.add_choices()?;
        }
        self.book.save_to_buffer().map_err(failed)
    }
}

fn failed(error: XlsxError) -> Error {
    match error {
        XlsxError::MaxStringLengthExceeded => {
            let detail = "A text is longer than the 32,767 letters that a cell of a workbook can hold. Take it as CSV.";
            Error::new(Kind::NotAcceptable, detail)
        }
        error => Error::internal(error),
    }
}
