//! Why a settlement file was refused, in a sentence of either language. The English one is what logs and programs have, too;
//! of a file that an earlier version refused there is no other.

use super::words;
use crate::alert::language::Language;
use crate::settlement::reader::error::{Bounded, Expected, Form, Found, Trouble};
use crate::settlement::reader::lines::LINE_BYTES_MAX;
use crate::settlement::reader::money::NumberError;
use crate::settlement::reader::profile::Encoding;
use crate::settlement::refusal::{ArchiveTrouble, Why};
use crate::settlement::report::Refused;
use std::io::ErrorKind;

/// What is wrong, in detail; nothing where it is not known in this language.
pub fn detail(language: Language, refused: &Refused) -> Option<String> {
    match language {
        Language::English => Some(refused.message.clone()),
        Language::Chinese => refused.why.as_ref().map(chinese),
    }
}

/// Where in the file it is.
pub fn place(language: Language, refused: &Refused) -> Option<String> {
    let column = refused.column.as_deref().map(|column| words::total(language, column));
    let line =
        refused.line.map(|line| language.say(format!("第 {line} 行"), format!("line {line}")));
    match (line, column) {
        (Some(line), Some(column)) => Some(
            language.say(format!("{line}，“{column}”列"), format!("{line}, column {column:?}")),
        ),
        // A total of the whole file.
        (None, Some(column)) => Some(language.say(format!("“{column}”"), format!("{column:?}"))),
        (line, None) => line,
    }
}

/// The same in one line, with the place.
pub fn line(language: Language, refused: &Refused) -> Option<String> {
    match language {
        Language::English => detail(language, refused),
        Language::Chinese => {
            let told = detail(language, refused)?;
            let place = place(language, refused).map(|place| place + "：");
            Some(place.unwrap_or_default() + &told + "。")
        }
    }
}

fn chinese(why: &Why) -> String {
    match why {
        Why::Read(trouble) => of_file(trouble),
        Why::NoFile => "没有这个文件".to_owned(),
        Why::MayNotRead => "运行 slipwatch-collector 的用户没有读取权限".to_owned(),
        Why::Unreadable => "磁盘未能读出该文件".to_owned(),
        Why::TooLarge { found, most } => {
            format!("共有 {found} 字节，超过设置允许的 {most} 字节")
        }
        Why::Archive(trouble) => of_archive(trouble),
        Why::NoProfile => "没有一种格式与它相符；请指定格式，或为这家机构写一个格式文件".to_owned(),
        Why::SeveralProfiles(names) => format!("与多种格式相符：{names}；请指定其中一种"),
        Why::OtherMerchant(merchant) => {
            format!("有商户 {merchant} 的记录，而设置中没有一个对账来源包含该商户")
        }
        Why::MixedStatements(merchant) => {
            format!("商户 {merchant} 的记录与前面各行属于不同的对账来源")
        }
        Why::Overlap { period, other } => format!(
            "文件的日期是 {}，而同一来源已导入 {other}；请先撤下那一份，或导入日期相同的文件",
            words::period(Language::Chinese, period)
        ),
        Why::Parts { period, other } => format!(
            "与同一压缩包中的 {other} 同属一个来源，日期也都是 {}；两份都不会取代另一份",
            words::period(Language::Chinese, period)
        ),
        Why::Dayless => "没有任何记录，也没有写明是哪一天".to_owned(),
        Why::Changed => "读取过程中被改动".to_owned(),
        Why::TooManyDays(most) => format!("跨度超过 {most} 天"),
    }
}

fn of_archive(trouble: &ArchiveTrouble) -> String {
    match trouble {
        ArchiveTrouble::Name => "压缩包中有一个文件名无法读取".to_owned(),
        ArchiveTrouble::Outside(part) => format!("压缩包中的“{part}”指向压缩包之外"),
        ArchiveTrouble::Parts(most) => format!("压缩包中的文件超过 {most} 个"),
        ArchiveTrouble::Grows { part, packed, bytes } => {
            format!("压缩包中的“{part}”解开后会从 {packed} 字节变成 {bytes} 字节")
        }
        ArchiveTrouble::Encrypted(part) => format!("压缩包中的“{part}”已加密"),
        ArchiveTrouble::Method { part, method } => {
            format!("压缩包中的“{part}”采用了不支持的压缩方式（{method}）")
        }
        ArchiveTrouble::NoPlace(part) => format!("压缩包中找不到“{part}”的内容"),
        ArchiveTrouble::Damaged(_) => "压缩包已损坏，无法解开".to_owned(),
    }
}

fn of_file(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Unreadable(kind) => {
            let fault = match kind {
                ErrorKind::NotFound => "文件已不在",
                ErrorKind::PermissionDenied => "没有读取权限",
                ErrorKind::UnexpectedEof => "文件提前结束",
                ErrorKind::InvalidData => "数据已损坏",
                _ => "磁盘出错",
            };
            format!("无法读取：{fault}")
        }
        Trouble::WrongEncoding(Encoding::Utf8) => "不是 UTF-8 编码".to_owned(),
        Trouble::WrongEncoding(Encoding::Gbk) => "不是 GBK 编码".to_owned(),
        Trouble::LineTooLong => format!("有一行超过 {LINE_BYTES_MAX} 字节"),
        Trouble::NoHeader { profile, looked, nearest } => {
            let nearest = nearest.as_ref();
            let lacks = nearest
                .map(|(line, lacks)| format!("；最接近的是第 {line} 行，缺少 {lacks}"))
                .unwrap_or_default();
            format!("没有表头：前 {looked} 行中没有一行写明格式 {profile} 的各列{lacks}")
        }
        Trouble::LineBytes { expected, found } => {
            format!("应为 {expected} 字节，实为 {found} 字节：格式不同，或文件被截断")
        }
        Trouble::Cells { expected, found } => format!("应有 {expected} 列，实有 {found} 列"),
        Trouble::Cell { what, found } => {
            let found = match found {
                Found::Nothing => "实际没有".to_owned(),
                Found::Text(text) if text.is_empty() => "实际为空".to_owned(),
                _ => format!("实际是{}", stood(found)),
            };
            format!("{}，{found}", expected(what))
        }
        Trouble::UnknownRow(cells) => {
            let cells = cells.iter().map(|(title, found)| format!("{title}为{}", stood(found)));
            let cells = cells.collect::<Vec<_>>().join("，");
            format!("格式文件中没有一条 [[row]] 认识这样的记录（{cells}）")
        }
        Trouble::Equation { equation, left, right } => {
            format!("{equation} 不成立：{left} 不等于 {right}")
        }
        Trouble::Total { stated, counted } => {
            format!("文件写明 {stated}，各行合计为 {counted}")
        }
        Trouble::NoTotals => "缺少结尾部分：文件是否被截断？".to_owned(),
        Trouble::NoLineEnd => "最后一行没有换行：文件是否被截断？".to_owned(),
        Trouble::BehindTheEnd => "文件结尾之后还有内容".to_owned(),
        Trouble::TooMuch { of, most } => match of {
            Bounded::Cells => format!("一行超过 {most} 列"),
            Bounded::Rows => format!("超过 {most} 行"),
            Bounded::Batches => format!("一个文件超过 {most} 个批次"),
            Bounded::Statements => format!("超过 {most} 份账单"),
            Bounded::Levels => format!("元素嵌套超过 {most} 层"),
        },
        Trouble::NotThat(form) => match form {
            Form::NoMt940 => "其中没有 MT940 账单",
            Form::NoCamt => "其中没有 camt.052、camt.053 或 camt.054 账单",
            Form::NoReference => "最前面应为 :20:",
            Form::Xml(_) => "不是完好的 XML",
            Form::DocumentType => "含有文档类型声明，不予读取",
        }
        .to_owned(),
    }
}

fn expected(what: &Expected) -> String {
    let text = match what {
        Expected::Number(NumberError::NotANumber) => "应为数字",
        Expected::Number(NumberError::Thousands) => "不应有格式文件未写明的千位分隔符",
        Expected::Number(NumberError::Decimals) => "小数位数不应多于最小单位的千分之一",
        Expected::Number(NumberError::TooLarge) => "不应超过十二位数字",
        Expected::Number(NumberError::NoSignLetter) => "数字前应有 C 或 D",
        Expected::Currency => "应为币种",
        Expected::WholeUnits => "应为最小单位（如“分”）的整数倍",
        Expected::Time(format) => return format!("应为时间，写法为 {format}"),
        Expected::Day(format) => return format!("应为日期，写法为 {format}"),
        Expected::TimeOrDay => "应有时间或日期",
        Expected::Zone => "应为 [words.zone] 写明的时区",
        Expected::Total => "应为合计",
        Expected::Blank(column) => return format!("第 {column} 列之后应为空格"),
        Expected::Balance => "应依次为 C 或 D、日期、币种、金额",
        Expected::Booking => "应依次为日期、C 或 D、金额、类别",
        Expected::OpeningBalance => "之前应有写明币种的期初余额",
        Expected::AmountWithCurrency => "应为写明币种的金额",
        Expected::OneInEachEntry => "每笔都应有",
    };
    text.to_owned()
}

fn stood(found: &Found) -> String {
    match found {
        Found::Text(text) if text.is_empty() => "空".to_owned(),
        Found::Text(text) => format!("“{text}”"),
        Found::Number(number) => format!(" {number}"),
        Found::Long(chars) => format!("一段 {chars} 个字符的文字"),
        Found::AnotherSign => "其他字符".to_owned(),
        Found::Nothing => "空".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sentence holds these words, and no Latin ones but those that are expected.
    #[track_caller]
    fn check(why: Why, expected: &str) {
        let told = chinese(&why);
        assert_eq!(told, expected);
        let stored =
            serde_json::to_string(&Refused { why: Some(why.clone()), ..Refused::default() });
        let read: Refused = serde_json::from_str(&stored.expect("JSON")).expect("a report");
        assert_eq!(read.why, Some(why), "what is stored is told again");
    }

    fn cell(what: Expected, found: Found) -> Why {
        Why::Read(Trouble::Cell { what, found })
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_in_chinese_as_fully_as_in_english() {
        let number = Expected::Number(NumberError::Thousands);
        check(
            cell(number, Found::Text("1200,00".to_owned())),
            "不应有格式文件未写明的千位分隔符，实际是“1200,00”",
        );
        check(cell(Expected::OneInEachEntry, Found::Nothing), "每笔都应有，实际没有");
        check(cell(Expected::Currency, Found::Text(String::new())), "应为币种，实际为空");
        check(cell(Expected::Total, Found::Long(19)), "应为合计，实际是一段 19 个字符的文字");
        check(cell(Expected::Blank(3), Found::AnotherSign), "第 3 列之后应为空格，实际是其他字符");
        check(
            cell(Expected::Time("%Y-%m-%d".to_owned()), Found::Text("x".to_owned())),
            "应为时间，写法为 %Y-%m-%d，实际是“x”",
        );
        check(
            cell(Expected::WholeUnits, Found::Number("0.005".to_owned())),
            "应为最小单位（如“分”）的整数倍，实际是 0.005",
        );
        let nearest = Some((4, "手续费".to_owned()));
        let profile = "allinpay".to_owned();
        check(
            Why::Read(Trouble::NoHeader { profile, looked: 40, nearest }),
            "没有表头：前 40 行中没有一行写明格式 allinpay 的各列；最接近的是第 4 行，缺少 手续费",
        );
        let cells = vec![("交易类型".to_owned(), Found::Text("未知".to_owned()))];
        check(
            Why::Read(Trouble::UnknownRow(cells)),
            "格式文件中没有一条 [[row]] 认识这样的记录（交易类型为“未知”）",
        );
        check(Why::Read(Trouble::Unreadable(ErrorKind::InvalidData)), "无法读取：数据已损坏");
        check(
            Why::Read(Trouble::Total { stated: "88.00".to_owned(), counted: "80.00".to_owned() }),
            "文件写明 88.00，各行合计为 80.00",
        );
        check(Why::Read(Trouble::TooMuch { of: Bounded::Rows, most: 7 }), "超过 7 行");
        check(Why::Archive(ArchiveTrouble::Parts(100)), "压缩包中的文件超过 100 个");
        check(
            Why::Overlap { period: "2025-11-01..2025-11-30".to_owned(), other: "a.csv".to_owned() },
            "文件的日期是 2025-11-01 至 2025-11-30，而同一来源已导入 a.csv；请先撤下那一份，或导入日期相同的文件",
        );
    }

    #[test]
    fn the_place_of_what_is_wrong_is_told_as_far_as_there_is_one() {
        let told = |line: Option<u32>, column: Option<&str>| {
            let column = column.map(str::to_owned);
            let refused = Refused { line, column, ..Refused::default() };
            [Language::Chinese, Language::English].map(|language| place(language, &refused))
        };
        let both =
            |chinese: &str, english: &str| [Some(chinese.to_owned()), Some(english.to_owned())];
        assert_eq!(
            told(Some(3), Some("手续费")),
            both("第 3 行，“手续费”列", "line 3, column \"手续费\"")
        );
        assert_eq!(told(Some(3), None), both("第 3 行", "line 3"));
        assert_eq!(told(None, Some("trade_count")), both("“交易笔数”", "\"payments, number\""));
        assert_eq!(told(None, None), [None, None]);
    }

    #[test]
    fn what_another_version_refused_is_told_as_far_as_it_is_known() {
        let stored =
            r#"{"reason":"row","line":3,"message":"line 3: expected it","why":{"later":7}}"#;
        let refused: Refused = serde_json::from_str(stored).expect("a report");
        assert_eq!((detail(Language::Chinese, &refused), refused.line), (None, Some(3)));
        assert_eq!(detail(Language::English, &refused).as_deref(), Some("line 3: expected it"));
    }
}
