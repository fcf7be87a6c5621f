//! The Chinese of the command line: what helps with each command and argument, and the sentences of errors and of `check`.
//! The English stands where it belongs; tests say what is missing here and what is left over.

use slipwatch_tongue::Tongue;

/// All that the agent says in Chinese.
pub const TONGUE: Tongue = Tongue { help: HELP, sentences: SENTENCES };

const HELP: &[(&str, &str)] = &[
    ("", "读取支付终端和打印机的输出，保存下来，发给收集程序"),
    (
        ":",
        "示例：\n{1}\n\n退出状态：0 一切正常；1 意外失败；2 参数有误；65 内容都无法解读（decode）；69 MQTT 服务器连不上（check）；\
         73 状态目录不能写入或正被占用；78 设置有误。",
    ),
    ("*.config", "设置文件"),
    ("*.json", "以 JSON 输出"),
    ("*.lang", "输出所用的语言；不写时由 LC_ALL、LC_MESSAGES 或 LANG 决定"),
    ("run", "读取所有来源并发送，直到收到 SIGTERM；收到 SIGHUP 时重新读取设置"),
    ("run:", "示例：\n{1}"),
    ("check", "检查设置是否正确，设置所写的各项是否都在"),
    ("check:", "示例：\n{1}"),
    ("check.offline", "不检查 MQTT 服务器和串口，只检查设置、方言文件、密钥文件和状态目录"),
    ("ports", "列出本机的串口：固定名称、驱动，以及正由谁使用"),
    ("ports:", "示例：\n{1}"),
    ("probe", "监听一个串口，判断上面接的是什么，并写出对应的设置"),
    (
        "probe:",
        "[[source]] 设置写到标准输出，其余写到标准错误。监听期间请做一笔交易或打印一张凭条：线路上没有内容，就什么也判断不出。\
         退出状态：0 已确定；1 不能确定，或没有内容；69 串口打不开。\n\n示例：\n{1}",
    ),
    ("probe.port", "串口；可用 `slipwatch-agent ports` 列出"),
    ("probe.seconds", "最多监听多少秒"),
    ("probe.baud", "只试这一个速率"),
    ("probe.dialect", "同时试用自己的方言文件；可写多次"),
    ("tail", "边听边解读，显示线路或日志的内容"),
    (
        "tail:",
        "按 Ctrl-C 结束，结束时说明有多少内容无法解读。设 NO_COLOR=1 可去掉颜色。\n\n示例：\n{1}",
    ),
    ("tail.dialect", "设备的方言：自带的方言（`decode --list` 列出），或自己的方言文件的路径"),
    ("tail.terminal", "线路后面的终端号；用于内容本身没有写明终端的情况"),
    ("record", "逐字节录下线路内容，去掉卡号等敏感数据，供技术支持分析"),
    (
        "record:",
        "写入之前，卡号只留前六位和后四位，磁道数据在卡号之后的部分全部去掉。方言未知时，加密的 PIN 数据与其他字节无法区分：\
         如果录的是通往收单机构的线路，发出之前请先看一遍。录下的文件是文本，可用 `slipwatch-agent decode --dialect NAME FILE` 重放。\
         \n\n示例：\n{1}",
    ),
    ("record.output", "写到哪个文件；不写时输出到标准输出。已存在的文件不会被改动"),
    ("*.port", "串口，或日志文件；串口可用 `slipwatch-agent ports` 列出"),
    ("*.answers", "第二个串口，用于监听设备的应答"),
    ("*.baud", "波特率；可用 `slipwatch-agent probe` 测出"),
    ("*.data_bits", "数据位，5 至 8"),
    ("*.parity", "校验位"),
    ("*.stop_bits", "停止位，1 或 2"),
    (
        "*.source",
        "改为采用设置中的这个来源，包括它的全部参数。采集程序不能同时运行：一个串口只能有一个读者",
    ),
    ("tail.config", "在哪个设置文件中查找 `--source`"),
    ("record.config", "在哪个设置文件中查找 `--source`"),
    ("*.from_start", "日志文件从头读起；不写时只读此后新增的内容。读完整的日志请用 `decode`"),
    ("*.seconds", "多少秒后结束；不写时按 Ctrl-C 结束"),
    ("decode", "解读录下的日志或线路内容，每个事件一行，以 JSON 输出"),
    (
        "decode:",
        "示例：\n{1}\n\n设备写的是当地时间。设备在哪个时区由 --time-zone 写明；不写时按本机的时区。日志没有写年份时，\
         取不晚于文件最后修改时间的那一年。\n\n日志本身没有写明属于哪家门店。要按门店的设置来判断，请写明设置中的门店名称；\
         日志各行没有终端号时，还要写明终端号：\n{2}\n\n退出状态：0 有内容已解读，或文件为空；1 文件无法读取；65 内容都无法解读；\
         78 方言不能使用",
    ),
    ("decode.dialect", "设备的方言：程序自带的方言（--list 列出），或自己的方言文件的路径"),
    ("decode.terminal", "日志所属的终端号；用于各行没有写明终端的情况"),
    ("decode.store", "日志所属的门店，即收集程序设置中的名称"),
    ("decode.agent", "视为由哪个采集程序听到；一起重放的日志各用一个名称"),
    (
        "decode.time_zone",
        "日志时间所在的时区，写 IANA 名称，如 Asia/Shanghai；不写时按本机的时区。录制文件自带时间",
    ),
    ("decode.form", "文件的写法；录制文件带有方向和时间"),
    ("decode.form=auto", "由文件开头判断"),
    ("decode.form=raw", "线路上的原始字节，或日志的各行"),
    ("decode.form=hex", "十六进制的字节：`02 00`、`0200`、`[02][00]`、`xxd` 和 `hexdump -C`"),
    ("decode.form=recording", "`slipwatch-agent record` 录下的文件"),
    ("decode.list", "列出各方言及其用途"),
    ("decode.json", "与 --list 同用：以 JSON 输出"),
    ("decode.file", "录下的日志、字节或录制文件；`-` 表示标准输入"),
    ("spool", "查看本地缓存"),
    ("spool stat", "缓存了多少、从何时起，以及收集程序存到了哪里"),
    ("spool stat:", "示例：\n{1}"),
];

const SENTENCES: &[(&str, &str)] = &[
    // The settings.
    ("{}: expected {}", "{}：应为{}"),
    ("at most {} sources", "最多 {} 个来源"),
    ("at most {} arguments", "最多 {} 个参数"),
    ("a name that no other source has", "其他来源没有用过的名称"),
    ("a number from {} to {}, found {}", " {} 至 {} 之间的数，实际是 {}"),
    ("no less than retry_ms_first", "不小于 retry_ms_first 的数"),
    ("certificate_file and key_file together", " certificate_file 和 key_file 两项都写"),
    ("a ca_file beside it", "同时写明 ca_file"),
    ("5, 6, 7 or 8", " 5、6、7 或 8"),
    ("1 or 2", " 1 或 2"),
    ("more than 0", "大于 0 的数"),
    ("1 to 64 bytes", " 1 至 64 个字节"),
    ("either serial or file or command", " serial、file、command 三者之一"),
    ("a program", "程序"),
    ("a serial beside it, for what is sent to the device", "同时写明 serial，用于发给设备的内容"),
    (
        "another port than serial: one receiver for each way",
        "与 serial 不同的串口：每个方向一个接收器",
    ),
    ("an IANA name such as Asia/Shanghai", " IANA 时区名称，如 Asia/Shanghai"),
    // `check`.
    ("ok", "正常"),
    ("WRONG", "有误"),
    ("settings", "设置"),
    ("{}, {} sources", "{}，{} 个来源"),
    ("profiles", "方言"),
    ("all profiles can be read", "方言文件都能读取"),
    ("secrets", "密钥"),
    ("all can be read", "都能读取"),
    ("state directory", "状态目录"),
    ("{} can be written", "{} 可以写入"),
    ("{} is in use by a running agent (process {})", "{} 正由运行中的采集程序使用（进程 {}）"),
    ("source {}", "来源 {}"),
    ("{} can be opened", "{} 可以打开"),
    ("{} is in use by the running agent", "{} 正由运行中的采集程序使用"),
    ("{} can be started", "{} 可以启动"),
    ("{} can be read", "{} 可以读取"),
    ("{}: no such program", "没有 {} 这个程序"),
    ("{}: no such program in {}", "在 {1} 中没有 {0} 这个程序"),
    ("broker", "MQTT 服务器"),
    ("{} lets this agent in", "{} 允许本采集程序接入"),
    ("{}: no answer within {} s", "{} 在 {} 秒内没有应答"),
    ("certificate", "证书"),
    ("its name (CN) is {}, as the agent's", "名称（CN）是 {}，与采集程序相同"),
    (
        "its name (CN) is {}, and the settings call this agent {}: a broker whose access list goes by the certificate \
         drops all that it sends; make the two equal",
        "名称（CN）是 {}，而设置中本采集程序叫 {}：按证书控制权限的 MQTT 服务器会丢弃它发出的一切；请使两者一致",
    ),
    // Ports.
    (
        "it is in use by {}, and a port has one reader: {}",
        "正由 {} 使用，而一个串口只能有一个读者：{}",
    ),
    (
        "`systemctl stop slipwatch-agent` stops the agent's service meanwhile",
        "可用 `systemctl stop slipwatch-agent` 暂停采集服务",
    ),
    ("end that program first", "请先结束那个程序"),
    (
        "another program reads it, most likely the agent's service: `sudo slipwatch-agent ports` says which, \
         `systemctl stop slipwatch-agent` stops that one meanwhile",
        "有别的程序在读，多半是采集服务：用 `sudo slipwatch-agent ports` 查看是谁，用 `systemctl stop slipwatch-agent` 暂停它",
    ),
    // What `decode`, `tail` and `record` tell.
    ("{}: nothing of it was understood as {}; {}", "{}：按 {} 全都无法解读；{}"),
    ("it reads like `--dialect {}`: {}", "看起来是 `--dialect {}`：{}"),
    (
        "`--list` names the dialects, and no shipped one understands it",
        "可用的方言见 `--list`，自带的方言都不认识它",
    ),
    (
        "{} bytes, {} lines or frames: {} events, {} not understood, {} damaged",
        "{} 字节，{} 行或帧：{} 个事件，{} 个无法解读，{} 个已损坏",
    ),
    ("not understood", "无法解读"),
    ("listening", "开始监听"),
    ("some bytes are lost", "有字节丢失"),
    ("the line is lost: {}", "线路中断（{}）"),
    (
        "{}: only what is added to it from now on is read; --from-start reads all of it",
        "{}：只读此后新增的内容；要从头读起请用 --from-start",
    ),
    ("{} bytes recorded", "已录 {} 字节"),
    ("{} bytes recorded; Ctrl-C ends it", "已录 {} 字节；按 Ctrl-C 结束"),
    // What `ports`, `probe` and `spool` tell.
    ("no serial port found", "没有找到串口"),
    ("unknown driver", "驱动不明"),
    ("in use", "使用中"),
    (
        "Nothing was said within {} s. Make a sale or print a slip meanwhile. A receiver hears only the wire that it is \
         soldered to: try the other one.",
        "{} 秒内没有任何内容。监听期间请做一笔交易或打印一张凭条。接收器只听得到它所接的那根线：请换另一根试试。",
    ),
    ("{}: {} bytes, {} of them came in badly", "{}：{} 字节，其中 {} 个接收有误"),
    ("speed or check bit is wrong, or the line is noisy", "速率或校验位不对，或线路有干扰"),
    ("it reads like {}: {}", "看起来是 {}：{}"),
    ("less likely   {}: {}", "可能性较小 {}：{}"),
    (
        "{} lines or frames understood, {} unknown, {} damaged",
        "{} 行或帧已解读，{} 个不认识，{} 个已损坏",
    ),
    (
        "It is sure that this is {}, and not which kind of it: {} and {} understand it as well. What decides is who prints, \
         and in which code page: `slipwatch-agent decode --list` says what each is for.",
        "可以确定是 {}，但不能确定是哪一种：{} 和 {} 同样能解读。区别在于由谁打印、用哪种编码：各方言的用途见 \
         `slipwatch-agent decode --list`。",
    ),
    ("# NOT SURE: see what probe said", "# 不能确定：见 probe 的说明"),
    ("# or {}: see what probe said", "# 也可能是 {}：见 probe 的说明"),
    ("It is sure: no other dialect comes near.", "可以确定：其他方言都相差很远。"),
    (
        "It is not sure: listen longer, with more sales and slips.",
        "还不能确定：请多做几笔交易、多打几张凭条，监听久一些。",
    ),
    (
        "No dialect understands it. `slipwatch-agent record` keeps it for a support case; a text needs a profile of its own \
         (agent/profiles/README.md).",
        "没有方言能解读它。可用 `slipwatch-agent record` 录下来交给技术支持；文本日志需要自己写方言文件（见 agent/profiles/README.md）。",
    ),
    ("{}: nothing said yet", "{}：还没有内容"),
    ("nothing understood yet", "还没有能解读的内容"),
    ("{} at {}: {} lines or frames understood", "{}（{}）：已解读 {} 行或帧"),
    ("listening at {}, {} bytes; {}", "正以 {} 监听，{} 字节；{}"),
    ("{} holds no spool yet", "{} 中还没有缓存"),
    ("nothing waits", "没有待发送的事件"),
    ("{} events wait, numbers {} to {}", "{} 个事件待发送，序号 {} 至 {}"),
    ("records   {}, {} bytes", "记录    {} 条，{} 字节"),
    ("oldest    {} s", "最早    {} 秒前"),
    ("committed through {}", "收集程序已存到 {}"),
    ("epoch     {}", "纪元    {}"),
    ("told by the running agent (process {}) {} s ago", "由运行中的采集程序（进程 {}）{} 秒前报告"),
    ("read from the store", "读自缓存文件"),
    // The dialects, as `decode --list` names them.
    ("Italy: till and terminal, ECR17 (Nexi)", "意大利：收银机与终端之间，ECR17（Nexi）"),
    (
        "Logs that hold UnionPay messages (ISO 8583 in BCD) as hex dumps",
        "以十六进制记录银联报文（BCD 编码的 ISO 8583）的日志",
    ),
    (
        "China: till and terminal, fixed columns as bank programs use them (widths differ by bank)",
        "中国：收银机与终端之间，银行程序所用的定长字段（各家银行的宽度不同）",
    ),
    ("France: till and terminal, Concert E and E+", "法国：收银机与终端之间，Concert E 和 E+"),
    (
        "ISO 8583:1987 in ASCII with a hexadecimal bitmap, heard between terminal and host",
        "终端与主机之间的 ISO 8583:1987，ASCII 编码，位图为十六进制",
    ),
    (
        "English key=value application log of a terminal or till",
        "终端或收银机的英文 key=value 应用日志",
    ),
    (
        "Receipt printer with a cutter (ESC/POS, Epson and compatible): slips, and their grade where its answers are heard",
        "带切刀的小票打印机（ESC/POS，Epson 及兼容机型）：凭条；能听到应答时还有证据等级",
    ),
    ("ZVT between till and payment terminal, serial", "收银机与支付终端之间的 ZVT，串口"),
    (
        "Android terminals (China): adb logcat of the payment application and its printer",
        "安卓终端（中国）：支付应用及其打印机的 adb logcat",
    ),
    (
        "Chinese receipt printer without a cutter (ESC/POS, 58 mm): slips in GB18030, 签购单",
        "不带切刀的中文小票打印机（ESC/POS，58 毫米）：GB18030 编码的签购单",
    ),
    (
        "Chile: Transbank terminals beside a till (POS Integrado), serial or USB",
        "智利：连接收银机的 Transbank 终端（POS Integrado），串口或 USB",
    ),
    (
        "UnionPay terminals (China) and their host: ISO 8583 in BCD behind TPDU and header",
        "银联终端（中国）与主机之间：TPDU 和报文头之后是 BCD 编码的 ISO 8583",
    ),
    (
        "Chinese terminal application log with the text of its slips, in GB18030",
        "中文终端应用日志，含凭条文字，GB18030 编码",
    ),
    (
        "Chile: Transbank self-service terminals (POS Autoservicio), serial or USB",
        "智利：Transbank 自助终端（POS Autoservicio），串口或 USB",
    ),
    ("ZVT between till and payment terminal, TCP", "收银机与支付终端之间的 ZVT，TCP"),
    (
        "Chinese receipt printer with a cutter (ESC/POS, Gprinter, Xprinter): slips in GB18030, 签购单",
        "带切刀的中文小票打印机（ESC/POS，佳博、芯烨）：GB18030 编码的签购单",
    ),
    (
        "China: till and terminal, MIS (收银一体化), tags DFxx over 02 length 03 LRC",
        "中国：收银机与终端之间，MIS（收银一体化），DFxx 标签，帧为 02、长度、03、LRC",
    ),
    (
        "The XML log of a host or switch that is built with jPOS",
        "用 jPOS 开发的主机或转接系统的 XML 日志",
    ),
    // What ends a command.
    ("{}: cannot be read", "{} 无法读取"),
    ("{} cannot be read", "{} 无法读取"),
    ("{} cannot be written", "{} 无法写入"),
    ("{} cannot be made", "{} 无法建立"),
    ("{} cannot be written: {}", "{} 无法写入：{}"),
    (
        "no shipped profile is named {}; there are {}, or give the path of a file",
        "没有名为 {} 的自带方言；可用的有 {}，也可以写方言文件的路径",
    ),
    ("no source is named {}; there are {}", "设置中没有名为 {} 的来源；已有的是 {}"),
    ("{} = {}: cannot be read, looked at {}", "{} = {}：无法读取，找过 {}"),
    ("{}: {} holds no {}", "{}：{} 中没有{}"),
    ("private key", "私钥"),
    ("the certificates cannot be used for TLS", "这些证书不能用于 TLS"),
    (
        "{} is in use by another agent (process {}): stop that one, or give this one another spool.directory",
        "{} 正由另一个采集程序使用（进程 {}）：请停止那一个，或为本程序另设 spool.directory",
    ),
    ("the disk of {} is full", "{} 所在的磁盘已满"),
    ("a fresh store in {} cannot be read: {}", "{} 中刚建立的缓存无法读取：{}"),
    ("the disk is full", "磁盘已满"),
    ("the disk failed", "磁盘出错"),
    ("the store is damaged: {}", "缓存已损坏：{}"),
    ("the dialect cannot be used", "方言不能使用"),
    ("the result cannot be written", "结果无法写出"),
    ("the recording cannot be written", "录制文件无法写入"),
    ("a port, or --source", "要写串口，或 --source"),
    ("starting the runtime", "启动运行环境时出错"),
    ("starting the spool's thread", "启动缓存线程时出错"),
    ("listening for SIGTERM", "注册 SIGTERM 时出错"),
    ("listening for SIGINT", "注册 SIGINT 时出错"),
    ("listening for SIGHUP", "注册 SIGHUP 时出错"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Arguments;
    use clap::CommandFactory;

    #[test]
    fn every_command_and_argument_has_its_chinese_and_no_entry_names_nothing() {
        let faults = slipwatch_tongue::help::faults(Arguments::command(), &TONGUE);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
