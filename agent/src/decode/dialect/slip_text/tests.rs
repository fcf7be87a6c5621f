//! Slips as they come, and what is read of them. The German ones are those of recorded terminals (Portalum.Zvt), the
//! Spanish ones of Transbank's certification host.

use super::*;
use crate::decode::scrub::tests::{FORMS, any_card, card_number, digits_of, shows, written};
use proptest::prelude::*;

/// What was read, in words: one line a slip.
fn words(slip: &ReadSlip) -> String {
    let keys = &slip.slip.keys;
    let mut out = format!("{:?}", slip.document);
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push_str(&format!(" {name}={value}"));
        }
    };
    say("copy", slip.slip.copy.map(|copy| format!("{copy:?}")));
    say("reprint", slip.slip.reprint.then(|| "yes".into()));
    say("at", slip.device_time.map(|time| time.to_string()));
    say("terminal", slip.terminal.map(|terminal| terminal.to_string()));
    say("merchant", keys.merchant.map(|merchant| merchant.to_string()));
    say("operator", keys.operator.map(|operator| operator.to_string()));
    say("by", keys.instrument.map(|instrument| format!("{instrument:?}")));
    say("amount", keys.amount.map(|amount| amount.to_string()));
    say("batch", keys.batch_number.map(|batch| batch.to_string()));
    say("stan", keys.stan.map(|stan| stan.to_string()));
    say("rrn", keys.rrn.map(|rrn| rrn.to_string()));
    say("code", keys.authorization_code.map(|code| code.to_string()));
    say("order", keys.order_number.as_ref().map(|order| order.to_string()));
    say("channel", keys.channel_transaction_id.as_ref().map(|id| id.to_string()));
    if let Some(card) = keys.card {
        say("card", card.pan.map(|pan| pan.to_string()));
        say("brand", card.brand.map(|brand| brand.to_string()));
        say("entry", card.entry_mode.map(|mode| format!("{mode:?}")));
        say("atc", card.chip_counter.map(|counter| counter.to_string()));
    }
    if let Some(original) = keys.original {
        say("orig.stan", original.stan.map(|stan| stan.to_string()));
        say("orig.batch", original.batch_number.map(|batch| batch.to_string()));
        say("orig.rrn", original.rrn.map(|rrn| rrn.to_string()));
        say("orig.code", original.authorization_code.map(|code| code.to_string()));
    }
    out
}

#[track_caller]
fn check_in(currency: &str, text: &str, expected: &[&str]) {
    let slips = read(text.lines(), currency.parse().ok());
    assert_eq!(slips.iter().map(words).collect::<Vec<_>>(), expected, "{text}");
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    check_in("", text, expected);
}

const CHINESE: &str = "\
          银联POS签购单
--------------------------------
商户存根           MERCHANT COPY
商户名称(MERCHANT NAME):
  测试超市
商户编号(MERCHANT NO):
  898310148160001
终端编号(TERMINAL NO): 00000001
操作员号(OPERATOR NO)：01
收单行(ACQUIRER): 01040000
发卡行(ISSUER): 工商银行
卡号(CARD NO):
  622576******6691 /C
有效期(EXP DATE): 2030/12
交易类型(TXN TYPE):
  消费/SALE
批次号:000001     凭证号:000123
授权码:A1B2C3
参考号:632809000123
日期/时间(DATE/TIME):
  2026/11/24 09:30:02
金  额(AMOUNT):    RMB 0.20
备注(REFERENCE):
ARQC:8F3A TVR:0000008000
ATC:001F TC:AA
持卡人签名(CARDHOLDER SIGNATURE)

 本人确认以上交易,同意将其记入本卡账户
";

#[test]
fn a_chinese_slip_is_read_whole() {
    check(
        CHINESE,
        &[
            "Sale copy=Merchant at=2026-11-24 09:30:02 terminal=00000001 merchant=898310148160001 operator=01 \
           amount=CNY 0.20 batch=000001 stan=000123 rrn=632809000123 code=A1B2C3 card=622576******6691 \
           entry=Contactless atc=31",
        ],
    );
}

#[test]
fn two_copies_are_parted_by_the_tear_line_or_by_their_heads() {
    let second = CHINESE.replace(
        "商户存根           MERCHANT COPY",
        "持卡人存根\nCARDHOLDER (CUSTOMER) COPY\n***重打印***",
    );
    let slips = |text: &str| read(text.lines(), None);
    for between in
        ["-----------X-----------X--------\n", "---X---X---\n", "- - - 8<\n----8<----\n", ""]
    {
        let copies: Vec<_> = slips(&format!("{CHINESE}{between}{second}"))
            .iter()
            .map(|slip| (slip.slip.copy, slip.slip.reprint, slip.slip.keys.stan))
            .collect();
        let stan = "000123".parse().ok();
        let expected = [
            (Some(slipwatch_shared::event::Copy::Merchant), false, stan),
            (Some(slipwatch_shared::event::Copy::Customer), true, stan),
        ];
        assert_eq!(copies, expected, "{between:?}");
    }
}

#[test]
fn two_columns_of_labels_over_two_of_values() {
    check(
        "批次号 BATCH NO    凭证号 VOUCHER NO\n000001             000123\n总 计 TOTAL：\nRMB 12.50",
        &["Other amount=CNY 12.50 batch=000001 stan=000123"],
    );
}

#[test]
fn a_void_and_a_refund_name_what_they_undo() {
    check(
        "签购单\n交易类别：消费撤销(VOID)\n凭证号:000124\n金额：RMB -0.20\n原凭证号:000123 原参考号:632809000123\n",
        &["Void amount=CNY -0.20 stan=000124 orig.stan=000123 orig.rrn=632809000123"],
    );
    check(
        "签购单\n交易类型 退货 REFUND\n凭证号:000125\n金额：RMB -5.00\n原批次号:000001\n原授权码:123456",
        &["Refund amount=CNY -5.00 stan=000125 orig.batch=000001 orig.code=123456"],
    );
    check("签购单\n交易类型:预授权完成\n金额:1.00", &["Completion amount=CNY 1.00"]);
    check("签购单\n交易类型:预授权\n金额:1.00", &["Preauthorization amount=CNY 1.00"]);
    check("签购单\n交易类型:预授权撤销\n金额:1.00", &["Void amount=CNY 1.00"]);
}

#[test]
fn a_wallet_slip_names_the_wallet() {
    check(
        "商户联\n交易类型: 微信消费\n订单号: SHOP2026112400001\n交易单号:\n4200002026112409300212345678\n实付金额: ￥8.80",
        &["Sale copy=Merchant by=WechatQr amount=CNY 8.80 order=SHOP2026112400001 \
           channel=4200002026112409300212345678"],
    );
    check("支付方式：支付宝\n合计：8.80元\n本店支持云闪付", &["Other by=AlipayQr amount=CNY 8.80"]);
}

#[test]
fn a_fault_report_is_no_slip() {
    check(
        "***故障报告单,非凭证联***\n交易类型:消费\n凭证号:000123\n金额:RMB 0.20\n冲正不成功,请人工处理\n",
        &["FaultReport amount=CNY 0.20 stan=000123"],
    );
    let slip = read("冲正不成功\n凭证号:000123".lines(), None).remove(0);
    assert!(matches!(
        slip.printed(SlipGrade::Sent),
        Some(Body::Reversal { phase: ReversalPhase::Failed, .. })
    ));
}

#[test]
fn tests_settlements_and_refusals_are_told_and_are_no_slips() {
    for (text, expected) in [
        ("*** 测试 ***\n凭证号:000001\n金额:0.01", "Test amount=CNY 0.01 stan=000001"),
        ("签购单\n此凭证无效\n金额:0.01", "Test amount=CNY 0.01"),
        ("结算总计单\n批次号:000001\n消费 3  RMB 12.00", "Settlement batch=000001"),
        ("签购单\n凭证号:000001\n交易失败 余额不足", "Declined stan=000001"),
    ] {
        check(text, &[expected]);
        let slip = read(text.lines(), None).remove(0);
        assert_eq!(slip.printed(SlipGrade::Sent), None, "{text}");
    }
    // A shop called so prints real slips, and a payer of settlements is a payer.
    check("商户名称:测试超市\n金额:0.01", &["Other amount=CNY 0.01"]);
    check(
        "结算单位:A\n交易类型:消费\n卡号:622576******6691\n金额:0.01",
        &["Sale amount=CNY 0.01 card=622576******6691"],
    );
}

#[test]
fn what_shows_no_key_is_no_slip() {
    check("欢迎光临\n    谢谢惠顾\n扫码领券 满100减5\nwww.example.com", &[]);
    check("", &[]);
}

#[test]
fn german_slips_of_recorded_terminals() {
    check(
        "** H─NDLERBELEG **\nTEST Portalum\nRIEDG 50\n6850 DORNBIRN\n\n\n \nVERKAUF\n02.11.2021      08:35:32\n\
         Terminal-ID:    28004869\nVU-Nr:         100461763\nBeleg-Nr:        00/0502\nTrace-Nr:         001044\n\
         Maestro/DMC AT\nDebit Mastercard\nAID:      A0000000041010\nCrypto: EF4FA68818DB7720\n\
         Nr:  **** **** **** 4821\nAblaufdatum:       12/25\nSEQ:                 001\nE.Mode(I) SVC206   \n\
         BEZAHLT\nGEN.NR.:979572\nBETRAG:  EUR        2,00\n         ===============",
        &[
            "Sale copy=Merchant at=2021-11-02 08:35:32 terminal=28004869 merchant=100461763 amount=EUR 2.00 \
           stan=001044 code=979572 card=******4821",
        ],
    );
    check(
        "  Leihstellung von hobex\n     für PORTALUM GmbH\n        Herr Test1\n---------------------------\n\
         19.10.2021         13:30:04\n0000013    0004      000001\n        KUNDENBELEG\n---------------------------\n\
         Terminal: AH000006\nBeleg#  : H004001\nL:************0000\nAID: A0000000041010\nKarte: MASTERCARD\n\
         App.  : Debit Mastercard\n        Contactless\nKAUF\n \nSUMME\n         EUR: 1,00\n \nTrace#:            10004001\n\
         \nReferenz:\n \n Autorisierungscode:367655\n         (RC 001)\n    Genehmigt 367655\n       001004001",
        &[
            "Sale copy=Customer at=2021-10-19 13:30:04 terminal=AH000006 amount=EUR 1.00 code=367655 \
           card=******0000 brand=MASTERCARD entry=Contactless",
        ],
    );
    check(
        "** KASSENSCHNITT **\nTEST Portalum\nTerminal-ID:    28004869\n18.10.2021 22:55:50\n        Anzahl       EUR\n\
         Visa\n             0      0,00\nGesamt       0      0,00\nVisa            #:000499\nVU:            100461763",
        &["Settlement at=2021-10-18 22:55:50 terminal=28004869 merchant=100461763"],
    );
}

#[test]
fn spanish_vouchers_of_the_certification_host() {
    check_in(
        "CLP",
        "               TRANSBANK                \n         VENTA - COPIA COMERCIO         \n           TARJETA DE CREDITO           \n\
         \x20             PRUEBA DESA               \n           RUT: 11.111.111-1            \n\
         \x20    597029414300-IT750870-I25.0A0      \n           VALIDO COMO BOLETA           \n\
         07/05/2026      16:11:40                \n                           ****6590 B-VI\n\
         MONTO VENTA:                     $32.773\nIVA:                              $6.227\n\
         TOTAL:                           $39.000\nMONEDA:                             PESO\n\
         OPERACION: 000156   AUTORIZACION: 532264\n \n               TRANSBANK                \n\
         \x20        VENTA - COPIA CLIENTE          \n07/05/2026      16:11:40                \n\
         TOTAL:                           $39.000\nOPERACION: 000156   AUTORIZACION: 532264\n",
        &[
            "Sale copy=Merchant at=2026-05-07 16:11:40 terminal=IT750870 merchant=597029414300 amount=CLP 39000 \
             stan=000156 code=532264 card=******6590",
            "Sale copy=Customer at=2026-05-07 16:11:40 amount=CLP 39000 stan=000156 code=532264",
        ],
    );
    check_in(
        "CLP",
        "          COMPROBANTE DE VENTA          \n             PAGO EN CUOTAS             \n\
         \x20          *** DUPLICADO ***            \n          597029414300-M261L1           \n\
         FECHA             HORA          TERMINAL\n17/03/26        11:50:06        IM750164\n\n\
         NUMERO DE TARJETA                   B-CR\n************6590                        \nVISA                                    \n\
         TOTAL:                          $ 10.000\nNUMERO DE CUOTAS:                     03\n\
         MONTO CUOTA:                     $ 3.334\nNUMERO DE BOLETA:                 123456\n\
         NUMERO DE OPERACION:              000034\nCODIGO DE AUTORIZACION:           575354\n",
        &[
            "Sale reprint=yes at=2026-03-17 11:50:06 terminal=IM750164 merchant=597029414300 amount=CLP 10000 \
           stan=000034 code=575354 order=123456 card=******6590",
        ],
    );
    check_in(
        "CLP",
        "    REPORTE DEL CIERRE DEL TERMINAL     \n                  Tbk                   \nFECHA             HORA          TERMINAL\n\
         17/03/26        12:08:10        IM750164\n               NUMERO              TOTAL\n\
         TOTAL CAPTURAS   000                  $0\n",
        &["Settlement at=2026-03-17 12:08:10 terminal=IM750164"],
    );
}

#[test]
fn a_till_receipt_shows_its_sum() {
    let receipt = "ExampleMart Ltd.\nSALES INVOICE\nSubtotal                   12.95\nTotal            $ 14.25\nThank you\n";
    check_in("USD", receipt, &["Other amount=USD 14.25"]);
    // Whose dollars they are is not told: the slip counts, the sum is no amount.
    check(receipt, &["Other"]);
}

#[test]
fn a_card_number_in_clear_is_hidden_wherever_the_paper_cuts_it() {
    let number = card_number("622576", 16, 4);
    for cut in 1..number.len() {
        let (left, right) = number.split_at(cut);
        let text = format!("卡号 CARD NO:\n{left:>32}\n{:32}{right}\n金额:1.00", "");
        let slips = read(text.lines(), None);
        let out = digits_of(&slips[0].text);
        assert!(!shows(&out, &number), "cut at {cut}: {out}");
    }
    let slip = read(format!("卡号:{number} /S\n金额:1.00").lines(), None).remove(0);
    assert_eq!(
        words(&slip),
        format!("Other amount=CNY 1.00 card=622576******{} entry=Swiped", &number[12..])
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_card_number_comes_out(
        number in any_card(), form in 0..FORMS, cut in any::<usize>(), indent in 0_usize..40,
        before in "[x-zX-Z消费金额 :=,]{0,12}", after in "[x-zX-Z消费金额 :,]{0,12}",
    ) {
        let body = written(&number, form, cut).replace('\n', &format!("\n{}", " ".repeat(indent)));
        let text = format!("TOTAL: EUR 1.00\n{before} {body} {after}\nend");
        let slips = read(text.lines(), None);
        let out = format!("{slips:?}");
        for clear in [digits_of(&slips.iter().map(|slip| slip.text.as_str()).collect::<String>()), digits_of(&out)] {
            prop_assert!(!shows(&clear, &number), "{number} in {out}");
        }
    }

    #[test]
    fn any_text_is_survived(lines in prop::collection::vec("[\\PC0-9*:：金额卡号批次AMOUNTTOTAL -]{0,60}", 0..12)) {
        let slips = read(lines.iter().map(String::as_str), None);
        prop_assert!(slips.len() <= lines.len() + 1);
    }
}
