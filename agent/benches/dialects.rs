//! How fast a core decodes each binary dialect: a day of sales, each with request, answer, slips and end; what goes to a
//! printer and comes from it; and the text of slips alone.
//!
//! ```text
//! cargo bench -p slipwatch-agent --bench dialects
//! ```
//!
//! Items are events; `alloc` tells allocations and bytes for one call. They grow with the events and never with the bytes:
//! slips that are sent as images show it.

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use slipwatch_agent::decode::decoder::Decoder;
use slipwatch_agent::decode::dialect::framed::Framed;
use slipwatch_agent::decode::dialect::zvt::Zvt;
use slipwatch_agent::decode::dialect::{Direction, shipped, slip_text};
use slipwatch_shared::times::Uptime;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Bytes of one read.
const READ_BYTES: usize = 16 * 1024;

fn decode(bencher: Bencher, name: &str, bytes: &[u8]) {
    decode_both(bencher, name, &[(Direction::Either, bytes.to_vec())]);
}

/// What each side said, in order.
fn decode_both(bencher: Bencher, name: &str, said: &[(Direction, Vec<u8>)]) {
    let dialect = shipped::dialect(name).expect("a shipped dialect");
    let mut decoder = Decoder::new(dialect, None);
    let mut now = 0;
    let mut pass = || {
        let mut events = 0_usize;
        for (direction, bytes) in said {
            for read in bytes.chunks(READ_BYTES) {
                now += 1;
                decoder.push(*direction, read, Uptime(now));
                while let Some(decoded) = decoder.next_decoded() {
                    black_box(&decoded);
                    events += 1;
                }
            }
        }
        events
    };
    let events = pass();
    assert!(events > 0, "{name} says nothing");
    let bytes: usize = said.iter().map(|said| said.1.len()).sum();
    bencher.counter(ItemsCount::new(events)).counter(BytesCount::new(bytes)).bench_local(pass);
}

/// A sale over ZVT, each message answered: request, progress, result, two slips of 24 lines, completion.
fn zvt_day(name: &str) -> Vec<u8> {
    let toml = shipped::text(name).expect("a shipped dialect");
    let zvt = Zvt::parse(name, toml).expect("it is sound");
    let bcd = |number: u32| (number / 10 % 10 * 16 + number % 10) as u8;
    let mut day = Vec::new();
    for sale in 1..=200_u32 {
        let trace = [0, bcd(sale / 100), bcd(sale)];
        let amount = [0x04, 0, 0, 0, 0, bcd(sale / 100), bcd(sale)];
        let mut say = |code: u16, fields: &[u8]| {
            let message = [&code.to_be_bytes(), &[fields.len() as u8][..], fields].concat();
            day.extend(zvt.wrap(&message));
            day.extend(zvt.wrap(&[0x80, 0, 0]));
        };
        say(0x0601, &[&amount[..], &[0x49, 0x09, 0x78]].concat());
        say(0x04ff, &[0x0a]);
        say(0x04ff, &[0x17]);
        let card = b"\x22\xf0\xf8\x67\x25\x90\xee\xee\xee\x47\x71\x8a\x05\x8b\xf0\xf9girocard\0";
        let numbers = b"\x49\x09\x78\x29\x28\x00\x48\x69\x2a100461763      ";
        let result = [&[0x27, 0, 0x0b][..], &trace, &amount, card, numbers].concat();
        say(0x040f, &result);
        for title in ["** H\u{c4}NDLERBELEG **", "** KUNDENBELEG **"] {
            let title = title.chars().map(|sign| sign as u8);
            say(0x06d1, &[0x40].into_iter().chain(title).collect::<Vec<u8>>());
            let trace = format!("Trace-Nr:         {sale:06}");
            let amount = format!("BETRAG:  EUR      {:3},{:02}", sale / 100, sale % 100);
            for line in ["Terminal-ID:    28004869", &trace, "Nr:  **** **** **** 4771", &amount] {
                say(0x06d1, format!("\0{line}").as_bytes());
            }
            (0..18).for_each(|_| say(0x06d1, b"\0------------------------"));
            say(0x06d1, &[0x81]);
        }
        say(0x060f, &[]);
    }
    day
}

#[divan::bench]
fn zvt_sales_over_a_serial_line(bencher: Bencher) {
    decode(bencher, "zvt", &zvt_day("zvt"));
}

#[divan::bench]
fn zvt_sales_over_tcp(bencher: Bencher) {
    decode(bencher, "zvt-tcp", &zvt_day("zvt-tcp"));
}

/// The text of a Chinese slip.
fn chinese_slip(stan: u32) -> String {
    format!(
        "          银联POS签购单\n--------------------------------\n持卡人存根       CARDHOLDER COPY\n\
         商户名称(MERCHANT NAME):\n  小店\n商户编号(MERCHANT NO):\n  898310148160001\n终端编号(TERMINAL NO): 00000001\n\
         操作员号(OPERATOR NO)：01\n卡号(CARD NO):\n  622576******6691 /C\n交易类型(TXN TYPE):\n  消费/SALE\n\
         批次号:000001     凭证号:{stan:06}\n授权码:A1B2C3\n参考号:632809{stan:06}\n日期/时间(DATE/TIME):\n  2026/11/24 09:30:02\n\
         金  额(AMOUNT):    RMB 0.20\n本人确认以上交易,同意将其记入本卡账户\n"
    )
}

/// Slips as text, the printer asked and answering behind each cut.
#[divan::bench]
fn escpos_text_slips_with_their_answers(bencher: Bencher) {
    let said: Vec<(Direction, Vec<u8>)> = (0..200)
        .flat_map(|stan| {
            let text = encoding_rs::GB18030.encode(&chinese_slip(stan)).0.into_owned();
            let job = [&b"\x1b@\x1c&"[..], &text, b"\x1bd\x05\x1dV\x42\x03\x1dr\x01"].concat();
            [(Direction::ToDevice, job), (Direction::FromDevice, b"\x00".to_vec())]
        })
        .collect();
    decode_both(bencher, "escpos-cn", &said);
}

/// Slips as one image each, 576 dots wide and 1,000 long.
#[divan::bench]
fn escpos_raster_slips(bencher: Bencher) {
    let mut job = b"\x1b@\x1dv0\x00\x48\x00\xe8\x03".to_vec();
    job.extend((0..72_000).map(|at| (at % 251) as u8));
    job.extend(b"\x1dV\x42\x03");
    decode(bencher, "escpos", &job.repeat(20));
}

/// The text of slips alone: scrubbed, cut and read. Items are slips.
#[divan::bench]
fn slip_texts(bencher: Bencher) {
    let text: String = (0..20).map(chinese_slip).collect();
    bencher
        .counter(ItemsCount::new(20_usize))
        .counter(BytesCount::new(text.len()))
        .bench_local(|| black_box(slip_text::read(text.lines(), None)));
}

/// A day over a framed link: the bodies of each sale, each in its frame and acknowledged.
fn framed_day(name: &str, sale: impl Fn(u32) -> Vec<Vec<u8>>) -> Vec<u8> {
    let toml = shipped::text(name).expect("a shipped dialect");
    let framed = Framed::parse(name, toml).expect("it is sound");
    let shape = &framed.framing().shapes[0];
    let bodies = (0..200).flat_map(sale);
    bodies.flat_map(|body| [shape.wrap(&body), vec![0x06]].concat()).collect()
}

/// Sales over MIS: request and answer in tags.
#[divan::bench]
fn mis_sales(bencher: Bencher) {
    let tag = |tag: u16, value: &[u8]| {
        [&tag.to_be_bytes()[..], &[0x81, value.len() as u8], value].concat()
    };
    let sale = |stan: u32| {
        let voucher = [0, (stan / 100) as u8, (stan / 10 % 10 * 16 + stan % 10) as u8];
        let request = [
            tag(0xdf01, b"\x00"),
            tag(0xdf02, b"\x45"),
            tag(0xdf03, &[0, 0, 0, 0, 0x12, 0x50]),
            tag(0xdf47, b"01"),
        ];
        let result = [
            tag(0xdf07, b"00"),
            tag(0xdf03, b"RMB  12.50"),
            tag(0xdf10, &voucher),
            tag(0xdf11, b"000001"),
            tag(0xdf12, b"00000001"),
            tag(0xdf13, b"898330100000001"),
            tag(0xdf1a, b"632809000123"),
            tag(0xdf1b, b"123456"),
            tag(0xdf1c, b"1124"),
            tag(0xdf1d, b"093005"),
            tag(0xdf1e, b"622576******6691"),
            tag(0xdf1f, b"****"),
            tag(0xdf2c, b"\xd2\xf8\xc1\xaa"),
        ];
        let answer = [tag(0xdf01, b"\x02"), tag(0xdf02, b"\x45"), tag(0xdf06, &result.concat())];
        vec![request.concat(), answer.concat()]
    };
    decode(bencher, "cn-mis-tlv", &framed_day("cn-mis-tlv", sale));
}

/// Sales of Transbank: request, and an answer that carries two slips of 24 lines.
#[divan::bench]
fn transbank_sales_with_vouchers(bencher: Bencher) {
    let sale = |stan: u32| {
        let copy = |copy: &str| {
            let lines = [
                format!("{:^40}", "TRANSBANK"),
                format!("{:^40}", format!("VENTA - {copy}")),
                format!("{:^40}", "597029414300-IT750870-I25.0A0"),
                format!("{:40}", "07/05/2026      16:11:40"),
                format!("{:>40}", "****6590 B-VI"),
                format!("TOTAL:{:>34}", "$39.000"),
                format!("OPERACION: {stan:06}   AUTORIZACION: 532264"),
                " ".repeat(17 * 40),
            ];
            lines.concat()
        };
        let voucher = copy("COPIA COMERCIO") + &copy("COPIA CLIENTE");
        let answer = format!(
            "0210|00|597029414300|IT750870|ABC123|532264|39000|00||6590|{stan:06}|CR|0||VI|07052026|161140||0|{voucher}|"
        );
        vec![b"0200|39000|ABC123||1|0".to_vec(), answer.into_bytes()]
    };
    decode(bencher, "transbank", &framed_day("transbank", sale));
}

/// Payments over ECR17: request and result by position.
#[divan::bench]
fn ecr17_payments(bencher: Bencher) {
    let sale = |stan: u32| {
        let request =
            format!("123456780P87654321000000000{:04}{}00000000", 650 + stan, " ".repeat(128));
        let card = "************1111   ";
        let result = format!("123456780E00{card}ICC1234563281520200000000001{stan:06}000099");
        vec![request.into_bytes(), result.into_bytes()]
    };
    decode(bencher, "ecr17", &framed_day("ecr17", sale));
}

fn packed(digits: &str) -> Vec<u8> {
    let digit = |byte: u8| if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 };
    digits.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// A UnionPay sale: request and answer, each with length, address and header.
fn unionpay_sale(sale: usize) -> Vec<Vec<u8>> {
    let head = "6000030000603100110001";
    let (terminal, batch) = ("3030303030303236", "001422000015000501");
    let merchant = "383532333331303539393830303732";
    let asked = format!(
        "{head}02007020000000C08010166225760000000000000000000000001250{sale:06}{terminal}{merchant}313536{batch}"
    );
    let answered = format!(
        "{head}0210303800000A808010000000000000001250{sale:06}15343812013239303938333135333433383030{terminal}313536{batch}"
    );
    let framed = |message: String| {
        let message = packed(&message);
        [&(message.len() as u16).to_be_bytes()[..], &message].concat()
    };
    [asked, answered].map(framed).to_vec()
}

#[divan::bench]
fn iso8583_sales_on_the_line(bencher: Bencher) {
    let day: Vec<u8> = (1..=500).flat_map(unionpay_sale).flatten().collect();
    decode(bencher, "iso8583-cup", &day);
}

/// The same in a log, as rows of sixteen bytes with offset and characters.
#[divan::bench]
fn iso8583_sales_in_a_log(bencher: Bencher) {
    let mut log = String::new();
    for (sale, message) in (1..=500).flat_map(unionpay_sale).enumerate() {
        log.push_str(&format!("2026-11-24 09:30:{:02}.120 SEND\n", sale % 60));
        for (row, bytes) in message.chunks(16).enumerate() {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            let shown =
                bytes.iter().map(|&byte| if byte.is_ascii_graphic() { byte as char } else { '.' });
            log.push_str(&format!(
                "{:04X}: {}   {}\n",
                row * 16,
                hex.join(" "),
                shown.collect::<String>()
            ));
        }
    }
    decode(bencher, "iso8583-hexlog", log.as_bytes());
}

#[divan::bench]
fn jpos_sales(bencher: Bencher) {
    let entry = |section: &str, fields: String| {
        format!(
            "<log realm=\"channel/10.0.0.1:9001\" at=\"Thu Dec 18 15:12:40 UYST 2014.330\" lifespan=\"1ms\">\n  <{section}>\n    \
             <isomsg direction=\"outgoing\">\n      <!-- org.jpos.iso.packager.XMLPackager -->\n{fields}    </isomsg>\n  </{section}>\n</log>\n"
        )
    };
    let field = |id: u8, value: &str| format!("      <field id=\"{id}\" value=\"{value}\"/>\n");
    let mut log = String::new();
    for sale in 1..=500 {
        let keys = [
            field(3, "000000"),
            field(4, "000000001250"),
            field(11, &format!("{sale:06}")),
            field(41, "29110001"),
        ];
        let asked = [field(0, "0200"), field(2, "622576______0000"), keys.concat()].concat();
        let answered =
            [field(0, "0210"), keys.concat(), field(37, &format!("{sale:012}")), field(39, "00")]
                .concat();
        log.push_str(&entry("send", asked));
        log.push_str(&entry("receive", answered));
    }
    decode(bencher, "jpos-log", log.as_bytes());
}

#[divan::bench]
fn logcat_sales(bencher: Bencher) {
    let mut log = String::new();
    for sale in 1..=500 {
        for message in [
            format!(
                "PosTrade: 发起 交易类型:消费 金额:0.20 批次号:000001 凭证号:{sale:06} 终端号:00000001"
            ),
            format!(
                "PosTrade: 应答 应答码:00 交易类型:消费 金额:0.20 凭证号:{sale:06} 参考号:632809{sale:06}"
            ),
            "ActivityManager: Displayed com.example.pos/.MainActivity: +120ms".to_owned(),
            format!("PosPrint: 打印完成 凭证号:{sale:06} 联:商户存根"),
        ] {
            log.push_str(&format!("11-24 09:30:{:02}.120  2231  2290 I {message}\n", sale % 60));
        }
    }
    decode(bencher, "logcat-pos", log.as_bytes());
}
