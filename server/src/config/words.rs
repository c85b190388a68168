//! What other servers call their keys, for those who come from one.

/// The keys of Node-Media-Server, SRS, nginx-rtmp, MediaMTX and ZLMediaKit, in small letters with `_` between the words, and
/// what there is here. Every name in backticks is a key.
pub const WORDS: &[(&[&str], &str)] = &[
    (
        &["gop_cache", "gop_cache_max_frames", "gop_num"],
        "a stream's newest pictures are always kept for those who join: `gop` and `gop_bytes` say how many",
    ),
    (&["chunk_size"], "it is `rtmp_chunk_size` here"),
    (&["ping"], "it is `rtmp_ping_after` here"),
    (&["ping_timeout", "readtimeout", "read_timeout"], "it is `rtmp_idle_timeout` here"),
    (&["writetimeout", "write_timeout"], "it is `rtmp_write_timeout` or `http_stall` here"),
    (&["handshake_timeout"], "it is `rtmp_handshake_timeout` here"),
    (&["mw_latency", "mw_msgs", "mergewritems", "merge_write_ms"], "it is `batch` here"),
    (
        &["queue_length", "writequeuesize", "out_queue", "max_queue"],
        "it is `lag` and `lag_bytes` here",
    ),
    (
        &["allow_origin", "http_allow_origin", "crossdomain"],
        "every page may play from here: there is nothing to set",
    ),
    (&["listen", "rtmp_port", "rtmpaddress", "rtmp_listen"], "it is `rtmp` here"),
    (
        &[
            "http_port",
            "http_server",
            "http_api",
            "http_api_listen",
            "api_port",
            "apiaddress",
            "http_listen",
        ],
        "page, API and streams are on one port: `http`",
    ),
    (&["mediaroot", "media_root", "record", "record_path"], "this server records nothing"),
    (&["root", "http_dir", "webroot", "www"], "it is `web_dir` here"),
    (&["continue_push_ms", "continuepushms"], "it is `grace` here"),
    (&["override_publisher", "overridepublisher"], "it is `takeover` here"),
    (
        &["drop_idle_publisher", "publish_normal_timeout", "publish_timeout"],
        "it is `media_idle` here",
    ),
    (&["publish_1stpkt_timeout"], "it is `first_media` here"),
    (&["max_stream_wait_ms", "maxstreamwaitms"], "it is `missing_wait` here"),
    (
        &["stream_none_reader_delay_ms", "idle_streams"],
        "a stream goes on when nobody watches it: there is nothing to set",
    ),
    (&["ack_window", "window_ack_size", "in_ack_size"], "it is `rtmp_window` here"),
    (&["max_message"], "it is `rtmp_max_message` here"),
    (&["wait_key", "wait_video"], "viewers always begin with a keyframe: there is nothing to set"),
    (&["tcp_nodelay"], "it is always on"),
    (&["srs_log_tank", "log_format"], "it is `log` here"),
    // Who may publish and view.
    (
        &["auth", "auth_secret", "secret", "secret_key", "private_key", "sign_secret"],
        "publishers and viewers have secrets of their own: `publish_secrets` and `play_secrets`; what may be asked of the API has `api_tokens`",
    ),
    (
        &["auth_publish", "authpublish"],
        "publishers need a signature as soon as there are `publish_secrets`: there is no switch",
    ),
    (
        &["auth_play", "authplay"],
        "viewers need a signature as soon as there are `play_secrets`: there is no switch",
    ),
    (
        &["publish_key", "push_key", "push_secret", "publish_auth_key"],
        "it is `publish_secrets` here, of which any may have signed",
    ),
    (
        &["play_key", "pull_key", "pull_secret", "play_auth_key"],
        "it is `play_secrets` here, of which any may have signed",
    ),
    (
        &["secure_link_secret", "secure_link_md5"],
        "the secret is one of `play_secrets` or `publish_secrets`; `secure_link` is the expression that is signed, with {expires}, {uri}, {address} and {secret} where nginx has variables",
    ),
    (
        &[
            "token",
            "tokens",
            "authinternalusers",
            "auth_internal_users",
            "users",
            "user",
            "password",
            "publishuser",
            "publish_user",
            "publishpass",
            "publish_pass",
            "readuser",
            "read_user",
            "readpass",
            "read_pass",
            "simple_auth",
        ],
        "there are no users: `publish_tokens` and `play_tokens` are values of token= that let people in, `publish_secrets` and `play_secrets` sign addresses, and `api_tokens` are for the API",
    ),
    (
        &[
            "authmethod",
            "auth_method",
            "authhttpaddress",
            "auth_http_address",
            "externalauthenticationurl",
            "external_authentication_url",
        ],
        "who is to be asked about publishers is `on_publish`, about viewers `on_play`: the body and the answer are those of `hook_style`",
    ),
    (
        &["authjwtjwks", "auth_jwt_jwks", "authjwtclaimkey", "jwt", "jwks"],
        "JWT are not read: let `on_publish` and `on_play` ask a server that reads them, or sign addresses with `publish_secrets` and `play_secrets`",
    ),
    (
        &["security", "allow", "deny", "refer", "allow_ip_range"],
        "addresses are let in and kept out by `allow_publish`, `deny_publish`, `allow_play` and `deny_play`; a deny counts before an allow, whatever the order",
    ),
    (
        &["publiships", "publish_ips"],
        "it is `allow_publish` here: addresses and networks, and no others",
    ),
    (&["readips", "read_ips"], "it is `allow_play` here: addresses and networks, and no others"),
    (
        &[
            "apitrustedproxies",
            "rtmptrustedproxies",
            "hlstrustedproxies",
            "trust_proxy",
            "forwarded_ip_header",
            "set_real_ip_from",
            "real_ip_header",
            "real_ip_recursive",
        ],
        "proxies whose X-Forwarded-For counts are `trusted_proxies` here; no other field is read",
    ),
    // Hooks.
    (
        &[
            "http_hooks",
            "hook",
            "hooks",
            "webhook",
            "webhooks",
            "hook_enable",
            "http_hooks_enabled",
        ],
        "each event has a key of its own, whose URL turns it on: `on_connect`, `on_close`, `on_publish`, `on_unpublish`, `on_play` and `on_stop`",
    ),
    (
        &["notify", "notify_url"],
        "each event has a URL of its own, `on_publish`, `on_unpublish`, `on_play` and `on_stop`: with `hook_style` = nms they get what was sent there",
    ),
    (
        &["on_publish_done", "donepublish"],
        "it is `on_unpublish` here; with `hook_style` = nginx it is called as it was",
    ),
    (
        &["on_play_done", "doneplay"],
        "it is `on_stop` here; with `hook_style` = nginx it is called as it was",
    ),
    (&["on_done"], "it is `on_unpublish` for publishers and `on_stop` for viewers here"),
    (&["on_disconnect", "doneconnect"], "it is `on_close` here"),
    (
        &["on_update", "notify_update_timeout", "notify_update_strict"],
        "nobody is asked again while a stream runs: DELETE /api/v1/sessions/{id} ends one, and `sign_ends_sessions` ends those whose signature expires",
    ),
    (
        &["on_http_access", "on_rtsp_auth", "on_rtsp_realm"],
        "viewers are asked about with `on_play`, whatever they come by",
    ),
    (&["on_flow_report"], "the bytes of a session are in its end: `on_unpublish` and `on_stop`"),
    (
        &["on_stream_changed"],
        "it is `on_publish` and `on_unpublish` here; a program may also listen to /api/v1/events",
    ),
    (
        &["on_stream_none_reader"],
        "a stream goes on when nobody watches it; `on_stop` tells that a viewer has left",
    ),
    (
        &["on_stream_not_found"],
        "nobody is told: a viewer waits for `missing_wait`, and `on_play` was asked about it",
    ),
    (
        &[
            "on_server_started",
            "on_server_exited",
            "on_server_keepalive",
            "heartbeat",
            "alive_interval",
        ],
        "the server reports to nobody: ask it, at /health on the port of `http`",
    ),
    (
        &[
            "on_dvr",
            "on_hls",
            "on_hls_notify",
            "on_record_done",
            "on_record_mp4",
            "on_record_ts",
            "postrecord",
            "donerecord",
            "dvr",
            "hls",
            "dash",
        ],
        "this server records nothing and makes no HLS: there is nothing to set, and no such event",
    ),
    (
        &["on_forward", "forward", "relay", "push", "pull", "auto_push", "rtmp_auto_push"],
        "this server neither pushes to others nor pulls from them",
    ),
    (
        &[
            "runonconnect",
            "runondisconnect",
            "runonready",
            "runonnotready",
            "runonavailable",
            "runonnotavailable",
            "runononline",
            "runonoffline",
            "runonread",
            "runonunread",
            "exec",
            "exec_publish",
            "exec_publish_done",
            "exec_play",
            "exec_play_done",
        ],
        "no commands are run: URLs are asked and told, `on_connect`, `on_close`, `on_publish`, `on_unpublish`, `on_play` and `on_stop`",
    ),
    (&["notify_method"], "hooks are always a POST: `hook_style` says what is in it"),
    (
        &["notify_relay_redirect"],
        "an answer of `on_publish` that leads elsewhere is a no here: streams keep their names",
    ),
    (&["timeoutsec", "timeout_sec", "hook_timeoutsec"], "for hooks it is `hook_timeout` here"),
    (
        &["retry_delay", "hook_retry", "hook_retry_delay"],
        "it is `hook_retries` here, for what is told; the pauses are 1, 2, 4, 8 and 16 s",
    ),
    // TLS.
    (
        &[
            "ssl_certificate",
            "ssl_cert",
            "tls_certificate",
            "cert",
            "certificate",
            "rtmpservercert",
            "apiservercert",
            "hlsservercert",
            "https_cert",
            "rtmps_cert",
        ],
        "it is `tls_cert` here, one for HTTPS and RTMPS: the full chain, as PEM",
    ),
    (
        &[
            "ssl_certificate_key",
            "ssl_key",
            "key",
            "rtmpserverkey",
            "apiserverkey",
            "hlsserverkey",
            "https_key",
            "rtmps_key",
        ],
        "it is `tls_key` here, one for HTTPS and RTMPS",
    ),
    (
        &["https_listen", "https_port", "https_server", "sslport", "ssl_port", "http_sslport"],
        "it is `https` here: an address with its port, such as 0.0.0.0:8443",
    ),
    (
        &["rtmps_listen", "rtmps_port", "rtmpsaddress", "rtmps_address", "rtmp_sslport"],
        "it is `rtmps` here: an address with its port, such as 0.0.0.0:1936",
    ),
    (
        &["tls", "ssl", "rtmpencryption", "apiencryption", "hlsencryption", "http2"],
        "TLS is on as soon as there is a `tls_cert` (or `tls_self_signed`), at `https`, with HTTP/2, and at `rtmps`",
    ),
    (
        &["ssl_protocols", "ssl_ciphers"],
        "TLS is 1.2 or 1.3, with what is safe: there is nothing to set",
    ),
    // The API and metrics.
    (
        &["api", "http_api_enabled", "rtmp_control", "raw_api", "http_raw_api"],
        "the API is always there, on the port of `http`: `api_read` says who may read it, `api_tokens` who may change things from elsewhere",
    ),
    (
        &[
            "api_secret",
            "api_user",
            "api_pass",
            "http_api_auth",
            "http_api_auth_enabled",
            "http_api_auth_username",
            "http_api_auth_password",
            "api_token",
            "admin",
        ],
        "the API has no users and no password: `api_tokens` are sent as Authorization: Bearer …, and `api_read` = token asks readers for one, too",
    ),
    (
        &["apialloworigin", "apialloworigins"],
        "every page may read the API that may reach it: `api_read` says who may",
    ),
    (
        &[
            "metrics",
            "metricsaddress",
            "metrics_address",
            "metrics_listen",
            "exporter",
            "exporter_enabled",
            "exporter_listen",
            "prometheus",
            "rtmp_stat",
            "stats",
            "stat",
        ],
        "figures for Prometheus are always at /metrics, and for people at /stat, on the port of `http`: who may read them is `api_read`, and how many streams have figures of their own is `metrics_streams`",
    ),
    (
        &["pprof", "pprofaddress"],
        "there is no profiler; what can be measured is at /metrics, on the port of `http`",
    ),
    (
        &["access_log", "error_log", "log_file", "logfile", "srs_log_file", "logdestinations"],
        "the log goes to stderr, for systemd or a shell to keep: `log` and `log_level` say how and how much",
    ),
    (&["srs_log_level"], "it is `log_level` here"),
];

#[cfg(test)]
mod tests {
    use super::{
        super::{
            keys,
            nearest::{Near, nearest},
        },
        *,
    };

    #[test]
    fn words_of_other_servers_lead_to_keys_that_exist() {
        for (names, hint) in WORDS {
            for name in *names {
                assert!(keys::find(name).is_none(), "{name} is a key: nobody gets its hint");
                assert!(!name.contains(['-', '.']) && *name == name.to_lowercase(), "{name}");
            }
            for key in hint.split('`').skip(1).step_by(2) {
                assert!(keys::find(key).is_some(), "{key}");
            }
        }
        assert!(matches!(nearest("gop-cache"), Near::Word(hint) if hint.contains("`gop_bytes`")));
    }

    #[test]
    fn words_of_access_hooks_tls_and_the_api_lead_to_the_right_keys() {
        for (written, expected) in [
            ("auth", "`publish_secrets`"),
            ("auth.secret", "`play_secrets`"),
            ("secure_link_secret", "`secure_link`"),
            ("secure_link_md5", "{expires}"),
            ("authInternalUsers", "`publish_tokens`"),
            ("authHTTPAddress", "`on_publish`"),
            ("publishIPs", "`allow_publish`"),
            ("allow", "a deny counts before an allow"),
            ("rtmpTrustedProxies", "`trusted_proxies`"),
            ("http_hooks", "`on_connect`"),
            ("notify_url", "`hook_style` = nms"),
            ("on_publish_done", "`on_unpublish`"),
            ("on_play_done", "`on_stop`"),
            ("on_dvr", "records nothing"),
            ("runOnConnect", "no commands are run"),
            ("timeoutSec", "`hook_timeout`"),
            ("ssl_certificate", "`tls_cert`"),
            ("ssl_certificate_key", "`tls_key`"),
            ("rtmpServerKey", "`tls_key`"),
            ("https_listen", "`https`"),
            ("rtmpsAddress", "`rtmps`"),
            ("rtmpEncryption", "`tls_cert`"),
            ("api", "`api_read`"),
            ("api.secret", "`api_tokens`"),
            ("http_api.auth.username", "`api_tokens`"),
            ("metricsAddress", "/metrics"),
            ("exporter", "/metrics"),
        ] {
            let near = nearest(written);
            assert!(
                matches!(near, Near::Word(hint) if hint.contains(expected)),
                "{written}: {near:?}"
            );
        }
        // What needs no word of its own: our key but for a letter.
        for (written, meant) in [
            ("play_secret", "play_secrets"),
            ("publish_token", "publish_tokens"),
            ("tls_keys", "tls_key"),
        ] {
            assert!(
                matches!(nearest(written), Near::Misspelt(key) if key.name == meant),
                "{written}"
            );
        }
    }

    #[test]
    fn every_word_has_one_answer() {
        let names: Vec<&str> = WORDS.iter().flat_map(|(names, _)| names.iter().copied()).collect();
        for name in &names {
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
    }
}
