//! MQTT: publish, acknowledgement, reconnect.
