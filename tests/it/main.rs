//! The one test binary: what each room of tests holds.
//!
//! - `any_bytes`: every shipped dialect against bytes that no device sends.
//! - `cards`: a card number sent through every text path is found nowhere.
//! - `chinese`: pages, papers and letters of a bad day hold no English but names.
//! - `complaints`: the complaint desk: six outcomes, letters, hostile forms, and the answer as it is taken along.
//! - `corrupt`: damaged spools: the agent starts, accounts for every number, and goes on.
//! - `devices`: recorded terminals and printers against reviewed snapshots; what nobody recorded, made from its
//!   specification.
//! - `demo`: one round of the demonstration, as a person starts it.
//! - `devices_live`: each family of devices from bytes on a line to a verdict.
//! - `disk_full`: full disks on either side: nothing is lost, and it works again by itself.
//! - `evidence`: what a dispute clerk sends, and whether it holds.
//! - `first_hour`: what somebody meets who has the README and `--help` alone.
//! - `fleet`: generated fleets against their truth, over bad roads and through restarts.
//! - `fleet_live`: a generated fleet played to real agents over pseudo-terminals.
//! - `held`: how much memory a dialect holds of input that never ends.
//! - `house`: the floors, names and files of this repository.
//! - `power`: pulled plugs: every committed group and every committed transaction is there.
//! - `replay`: a recording, and a store's journal, judged again: the same answers as live.
//! - `scenes`: one named scene a verdict and a finding, in small worlds.
//! - `seeds`: random worlds of both cores in one thread, compared with the naive ledger.
//! - `systemd`: both units under a real systemd, in a container.
//! - `tongue`: help, wrong lines, errors and `check` in Chinese, as complete as in English.
//! - `tools`: the installer's tools, from an unknown cable to a running source.
//! - `usb`: adapters pulled out of an emulated machine in mid-sale.
//! - `settlement`: files of acquirers, wallets and banks against their reviewed readings; a month with planted faults.
//! - `wire`: the frozen bytes of each version, and what damage may cost.
//! - `parts`: the real parts by themselves; a failure there is the machine's.
//! - `serial`: a device on a pseudo-terminal, both programs, the collector's own broker.
//! - `mqtt`: the road over a real Mosquitto.
//! - `tls`: the road over a Mosquitto that asks for certificates, as the guide sets it up.
//! - `kill`: `kill -9` at random moments under load.
//! - `prometheus`: rules and dashboard against a real Prometheus.
//! - `smtp`: letters through a real mail server.

mod any_bytes;
mod cards;
mod chinese;
mod complaints;
mod corrupt;
mod demo;
mod devices;
mod devices_live;
mod disk_full;
mod evidence;
mod first_hour;
mod fleet;
mod fleet_live;
mod held;
mod house;
mod kill;
mod mqtt;
mod parts;
mod power;
mod prometheus;
mod replay;
mod scenes;
mod seeds;
mod serial;
mod settlement;
mod smtp;
mod spool_parts;
mod store_parts;
mod systemd;
mod tls;
mod tongue;
mod tools;
mod usb;
mod wire;
