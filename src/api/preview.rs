//! The first rows of a table for people: as aligned text, and as HTML for notebooks.
//!
//! A cell is shown as text whatever it holds: HTML is escaped, and characters that change how the text around them is
//! shown are replaced. Only the shown part of a long cell or list is read.

use std::fmt::Write as _;

use chrono::NaiveDate;
use polars::prelude::{AnyValue, Column, DataFrame, DataType};

/// The rows of a preview.
const ROWS: usize = 10;
/// The columns of a preview in HTML.
const COLUMNS: usize = 50;
/// The width of a line of text.
const WIDTH: usize = 100;
/// The width of a cell of text.
const CELL: usize = 32;
/// The characters of a cell in HTML.
const HTML_CELL: usize = 120;

/// A type in the words of Arrow: `int64`, `string`, `list[string]`.
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "bool".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::UInt64 => "uint64".to_owned(),
        DataType::Float64 => "float64".to_owned(),
        DataType::String => "string".to_owned(),
        DataType::Date => "date".to_owned(),
        DataType::List(items) => format!("list[{}]", type_name(items)),
        DataType::Struct(fields) => {
            let field =
                |field: &polars::prelude::Field| format!("{}: {}", field.name, type_name(&field.dtype));
            format!(
                "struct{{{}}}",
                fields.iter().map(field).collect::<Vec<_>>().join(", ")
            )
        }
        other => other.to_string(),
    }
}

/// The preview as lines of text. `title` names the table, `note` follows its size.
pub fn as_text(title: &str, frame: &DataFrame, note: &str) -> String {
    let mut text = heading(title, frame, note);
    let shown = frame.height().min(ROWS);
    let mut lines = vec![String::new(); shown + 3];
    let mut used = 0;
    let mut places = 0;
    for column in frame.columns() {
        let cells = cells_of(column, shown);
        let width = cells.iter().map(|cell| width_of(cell)).max().unwrap_or(0);
        let gap = if places == 0 { 0 } else { 2 };
        if places > 0 && used + gap + width > WIDTH {
            break;
        }
        used += gap + width;
        places += 1;
        let is_number = column.dtype().is_primitive_numeric();
        for (line, cell) in lines.iter_mut().zip(&cells) {
            let padding = width - width_of(cell);
            let (before, after) = if is_number { (padding, 0) } else { (0, padding) };
            let _ = write!(line, "{:gap$}{:before$}{cell}{:after$}", "", "", "");
        }
    }
    if places > 0 {
        for line in &lines {
            text.push('\n');
            text.push_str(line.trim_end());
        }
    }
    for rest in rest(frame, shown, places) {
        text.push('\n');
        text.push_str(&rest);
    }
    text
}

/// The preview as an HTML table without scripts and without rules for other elements.
pub fn as_html(title: &str, frame: &DataFrame, note: &str) -> String {
    let shown = frame.height().min(ROWS);
    let columns = &frame.columns()[..frame.width().min(COLUMNS)];
    // The classes keep MathJax from setting `$…$` of a title as a formula.
    let mut html =
        "<div class=\"tex2jax_ignore mathjax_ignore\" style=\"max-width:100%;overflow-x:auto\">".to_owned();
    let _ = write!(html, "<p>{}</p>", escaped(&heading(title, frame, note)));
    if !columns.is_empty() {
        html.push_str("<table><thead><tr>");
        for column in columns {
            let name = escaped(&cut(column.name(), HTML_CELL));
            let kind = escaped(&cut(&type_name(column.dtype()), HTML_CELL));
            let _ = write!(html, "<th{}>{name}<br><small>{kind}</small></th>", style(column));
        }
        html.push_str("</tr></thead><tbody>");
        for row in 0..shown {
            html.push_str("<tr>");
            for column in columns {
                let cell = match column.get(row) {
                    Ok(AnyValue::Null) | Err(_) => "<i>null</i>".to_owned(),
                    Ok(value) => escaped(&cell_of(&value, HTML_CELL)),
                };
                let _ = write!(html, "<td dir=\"auto\"{}>{cell}</td>", style(column));
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table>");
    }
    for rest in rest(frame, shown, columns.len()) {
        let _ = write!(html, "<p>{}</p>", escaped(&rest));
    }
    html.push_str("</div>");
    html
}

fn heading(title: &str, frame: &DataFrame, note: &str) -> String {
    let (rows, columns) = (frame.height(), frame.width());
    format!(
        "{title}: {} × {}{note}",
        counted(rows, "row"),
        counted(columns, "column")
    )
}

/// A number with its noun: `1 row`, `1,234 rows`.
pub fn counted(number: usize, noun: &str) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let ending = if number == 1 { "" } else { "s" };
    format!("{text} {noun}{ending}")
}

/// Lines about what is not shown.
fn rest(frame: &DataFrame, rows: usize, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if frame.height() > rows && columns > 0 {
        lines.push(format!("… {}", counted(frame.height() - rows, "more row")));
    }
    let hidden = &frame.columns()[columns..];
    if !hidden.is_empty() {
        // No more names than fit are read.
        let names: Vec<String> = hidden
            .iter()
            .take(WIDTH)
            .map(|column| cut(column.name(), CELL))
            .collect();
        lines.push(cut(
            &format!("… {}: {}", counted(hidden.len(), "more column"), names.join(", ")),
            WIDTH,
        ));
    }
    lines
}

/// Name, type, a line, and the cells of the first rows.
fn cells_of(column: &Column, rows: usize) -> Vec<String> {
    let mut cells = vec![
        cut(column.name(), CELL),
        cut(&type_name(column.dtype()), CELL),
        String::new(),
    ];
    cells.extend((0..rows).map(|row| cell_of(&column.get(row).unwrap_or(AnyValue::Null), CELL)));
    let width = cells.iter().map(|cell| width_of(cell)).max().unwrap_or(0);
    cells[2] = "-".repeat(width);
    cells
}

fn style(column: &Column) -> &'static str {
    if column.dtype().is_primitive_numeric() {
        " style=\"text-align:right;vertical-align:top\""
    } else {
        " style=\"text-align:left;vertical-align:top\""
    }
}

fn cell_of(value: &AnyValue<'_>, most: usize) -> String {
    let mut text = String::new();
    append(&mut text, value, most);
    cut(&text, most)
}

/// Appends a value; where the text exceeds `most` characters, the rest of the value is not read.
fn append(text: &mut String, value: &AnyValue<'_>, most: usize) {
    match value {
        AnyValue::Null => text.push_str("null"),
        AnyValue::String(value) => text.extend(value.chars().take(most + 1)),
        AnyValue::StringOwned(value) => text.extend(value.chars().take(most + 1)),
        AnyValue::Date(days) => {
            let _ = match NaiveDate::from_epoch_days(*days) {
                Some(date) => write!(text, "{date}"),
                None => write!(text, "day {days}"),
            };
        }
        AnyValue::List(items) => {
            text.push('[');
            for place in 0..items.len() {
                if place > 0 {
                    text.push_str(", ");
                }
                if text.chars().nth(most).is_some() {
                    return;
                }
                append(text, &items.get(place).unwrap_or(AnyValue::Null), most);
            }
            text.push(']');
        }
        AnyValue::Struct(_, _, fields) => {
            text.push('{');
            for (place, (field, value)) in fields.iter().zip(value._iter_struct_av()).enumerate() {
                let gap = if place == 0 { "" } else { ", " };
                let _ = write!(text, "{gap}{}: ", field.name);
                if text.chars().nth(most).is_some() {
                    return;
                }
                append(text, &value, most);
            }
            text.push('}');
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

/// A text of at most `most` columns of a terminal, with an ellipsis in place of what is cut off.
fn cut(text: &str, most: usize) -> String {
    let mut kept = String::new();
    // The length of the text that leaves room for the ellipsis.
    let mut room = 0;
    let mut width = 0;
    // Marks that combine have no width, but a cell has an end.
    for letter in text.chars().map(visible).take(4 * most + 1) {
        width += letter_width(letter);
        if width > most || kept.chars().nth(4 * most - 1).is_some() {
            kept.truncate(room);
            kept.push('…');
            break;
        }
        kept.push(letter);
        if width < most {
            room = kept.len();
        }
    }
    kept
}

/// Replaces a character that a terminal or a browser obeys instead of showing it, such as one that turns the direction.
fn visible(letter: char) -> char {
    match letter {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ if letter.is_control() => '\u{fffd}',
        _ => letter,
    }
}

fn width_of(text: &str) -> usize {
    text.chars().map(letter_width).sum()
}

/// The columns of a terminal that a character takes: two for those of East Asia and for pictures, none for marks.
fn letter_width(letter: char) -> usize {
    match letter {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(letter),
        }
    }
    html
}
