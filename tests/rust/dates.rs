//! Every accepted form of a date with an example, and what must never be guessed.

use drugs_rs::text::date::{NumericOrder, Parsed, parse};
use proptest::prelude::*;

fn read(text: &str, order: NumericOrder) -> String {
    match parse(text, order) {
        Parsed::Missing => "missing".to_owned(),
        Parsed::Bad => "bad".to_owned(),
        Parsed::Date(date, precision) => format!("{date} {}", precision.name()),
    }
}

#[test]
fn every_accepted_form() {
    let cases = [
        ("2020-01-05", "2020-01-05 day"),
        ("2020-1-5", "2020-01-05 day"),
        ("2020/01/05", "2020-01-05 day"),
        ("2020.01.05", "2020-01-05 day"),
        ("2020-01-05T10:30:00Z", "2020-01-05 day"),
        ("2020-01-05T10:30:00.123456+02:00", "2020-01-05 day"),
        ("2020-01-05 10:30", "2020-01-05 day"),
        ("2020-01-05t10:30:00z", "2020-01-05 day"),
        ("2020-01-05T24:00:00", "2020-01-05 day"),
        ("2020-01-05 10:30:00 UTC", "2020-01-05 day"),
        ("2020-01", "2020-01-01 month"),
        ("2020", "2020-01-01 year"),
        ("05/01/2020", "2020-01-05 day"),
        ("05.01.2020", "2020-01-05 day"),
        ("05-01-2020", "2020-01-05 day"),
        ("25/05/2020", "2020-05-25 day"),
        ("1 January 2020", "2020-01-01 day"),
        ("27 April 2020", "2020-04-27 day"),
        ("1-Jan-2020", "2020-01-01 day"),
        ("January 1, 2020", "2020-01-01 day"),
        ("Jan. 1, 2020", "2020-01-01 day"),
        ("March 2020", "2020-03-01 month"),
        ("2020 Jan 5", "2020-01-05 day"),
        ("2020-Jan-05", "2020-01-05 day"),
        ("2020 Jan", "2020-01-01 month"),
        ("2020 SEPT 3", "2020-09-03 day"),
        ("1975 Jan-Feb", "1975-01-01 month"),
        ("2019 Sep/Oct", "2019-09-01 month"),
        ("1979-1980 Fall", "1979-09-01 season"),
        ("1979-1980 Fall-Winter", "1979-09-01 season"),
        ("1998 Dec-1999 Jan", "1998-12-01 month"),
        ("2000 Jan 5-11", "2000-01-05 day"),
        ("2000 Jan 30-Feb 5", "2000-01-30 day"),
        ("1999 Dec 28-2000 Jan 3", "1999-12-28 day"),
        ("1975-1976", "1975-01-01 year"),
        ("2021 Spring", "2021-03-01 season"),
        ("Summer 2020", "2020-06-01 season"),
        ("2021 Fall", "2021-09-01 season"),
        ("2021 Winter", "2021-01-01 season"),
        ("1st January 2020", "2020-01-01 day"),
        ("January 22nd, 2020", "2020-01-22 day"),
        ("March 3RD 2020", "2020-03-03 day"),
        ("1983 Jan-Feb-Mar", "1983-01-01 month"),
        ("2023 Jan-Feb 01", "2023-01-01 month"),
        ("2023 Dec-2024 Jan 01", "2023-12-01 month"),
        ("2023 Dec/2024 Jan", "2023-12-01 month"),
        ("2021 Jul-Aug-Sep 01", "2021-07-01 month"),
        ("2021 Jul/Aug/Sep", "2021-07-01 month"),
        ("2021 Jul/Aug/Sep 01", "2021-07-01 month"),
        ("2021 Sep-Oct 01", "2021-09-01 month"),
        ("2023 Jan/Feb 01", "2023-01-01 month"),
        ("2021 Apr-Jun 01", "2021-04-01 month"),
        ("1980 2d Quart", "1980-04-01 season"),
        ("1980 3d Quart", "1980-07-01 season"),
        ("2D Quarter 1980", "1980-04-01 season"),
        ("May-June 2001", "2001-05-01 month"),
        ("May/June 2001", "2001-05-01 month"),
        ("1998 Dec-1999", "1998-12-01 month"),
        ("1977-1978 Dec-Jan", "1977-12-01 month"),
        ("Winter 1976-1977", "1976-01-01 season"),
        ("Winter 1976/1977", "1976-01-01 season"),
        ("Autumn 1976-Winter 1977", "1976-09-01 season"),
        ("Spring-Summer 1979", "1979-03-01 season"),
        ("1979 Spring/Summer", "1979-03-01 season"),
        ("2000 1st Quart", "2000-01-01 season"),
        ("2000 4th Quart", "2000-10-01 season"),
        ("2nd Quarter 2000", "2000-04-01 season"),
        ("1975\u{2013}1976", "1975-01-01 year"),
        ("1975\u{a0}Jan\u{2011}Feb", "1975-01-01 month"),
        ("5\u{2009}January\u{3000}2020", "2020-01-05 day"),
        ("2020-02-29", "2020-02-29 day"),
        ("  2020-01-05\t", "2020-01-05 day"),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text, NumericOrder::DayFirst), expected, "{text}");
    }
}

#[test]
fn what_is_no_date_is_flagged_and_never_swapped() {
    let bad = [
        "31/02/2020",
        "25/13/2020",
        "yesterday",
        "2020-13",
        "2020-02-30",
        "0/0/2020",
        "2020-00-10",
        "20200105",
        "20-01-05",
        "1/2/20",
        "12/25/2020",
        "2020-01-05T",
        "2020-01-05T25:00",
        "2020-01-05T24:30",
        "2020-01-05T24:00:01Z",
        "2020-01-05 noon",
        "0001-01-01",
        "1976-1975",
        "Mai 2020",
        "2020 Jan 11-5",
        "99999",
        "-2020",
        "2020-",
        "2020-01-05-",
        "١/١/٢٠٢٠",
        "2020-01-05T10:30:00+99:00",
        "1st/02/2020",
        "1stJan 2020",
        "31st February 2020",
        "2000 5th Quart",
        "2000 0th Quart",
        "2000 1 Quart",
        "2023 Jan-Feb 32",
        "2021 Jul-Aug-Sep 32",
        "2024 Dec-2023 Jan 01",
        "1962 Christmas",
        "1962 1st Semester",
        "1960 2d Trimest",
        "1975, 1977",
        "2000 1st",
        "1999 Dec-1998",
        "Winter 1977-1976",
        "1978-1977 Dec-Jan",
        "5 J\u{e4}nner 2020",
        "1975\u{2192}1976",
    ];
    for text in bad {
        assert_eq!(read(text, NumericOrder::DayFirst), "bad", "{text}");
    }
    for text in [
        "", " ", "\t\n", " null", "N/A", "NA", "None", "NaN", "-", "\u{2014}", "<NA>", "\\N",
    ] {
        assert_eq!(read(text, NumericOrder::DayFirst), "missing", "{text:?}");
    }
}

#[test]
fn month_first_is_for_numeric_dates_only() {
    assert_eq!(read("02/01/2020", NumericOrder::MonthFirst), "2020-02-01 day");
    assert_eq!(read("25/05/2020", NumericOrder::MonthFirst), "bad");
    assert_eq!(read("2020-01-05", NumericOrder::MonthFirst), "2020-01-05 day");
    assert_eq!(read("1 March 2020", NumericOrder::MonthFirst), "2020-03-01 day");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,40}|[0-9 /.,TZ:+JanuaryFebMaySpring-]{0,30}") {
        parse(&text, NumericOrder::DayFirst);
        parse(&text, NumericOrder::MonthFirst);
    }

    #[test]
    fn a_day_is_read_back_in_every_numeric_form(year in 1000_i32..10_000, month in 1_u32..13, day in 1_u32..29) {
        let expected = format!("{year:04}-{month:02}-{day:02} day");
        for text in [
            format!("{year:04}-{month:02}-{day:02}"),
            format!("{day}/{month}/{year:04}"),
            format!("{day:02}.{month:02}.{year:04}"),
        ] {
            prop_assert_eq!(read(&text, NumericOrder::DayFirst), expected.clone());
        }
    }
}
