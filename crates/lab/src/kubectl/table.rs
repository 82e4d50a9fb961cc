//! The verbs of kubectl, one row each, in the groups of its help.

use super::flag::{Flag, flag};
use super::verb::Verb;
use super::{
    apply, certificate, cluster, config, create, delete, describe, diff, drain, edit, events, exec, explain,
    get, label, logs, make, patch, replace, rollout, scale, set, taint, top, wait,
};

/// kubectl itself.
pub(super) static ROOT: Verb = Verb {
    brief: "kubectl controls the Kubernetes cluster manager.",
    usage: "kubectl [flags] [options]",
    verbs: &[
        &get::VERB,
        &describe::VERB,
        &explain::VERB,
        &events::VERB,
        &logs::VERB,
        &exec::VERB,
        &top::VERB,
        &cluster::API_RESOURCES,
        &cluster::API_VERSIONS,
        &cluster::VERSION,
        &cluster::CLUSTER_INFO,
        &cluster::OPTIONS,
        &cluster::AUTH,
        &config::VERB,
        &apply::VERB,
        &replace::VERB,
        &scale::VERB,
        &create::VERB,
        &set::VERB,
        &make::RUN,
        &make::EXPOSE,
        &make::AUTOSCALE,
        &delete::VERB,
        &patch::VERB,
        &label::LABEL,
        &label::ANNOTATE,
        &taint::VERB,
        &certificate::VERB,
        &drain::CORDON,
        &drain::UNCORDON,
        &drain::DRAIN,
        &rollout::VERB,
        &edit::VERB,
        &diff::VERB,
        &wait::VERB,
        // A row per verb; the order here is that of completion, help sorts by `GROUPS`.
    ],
    ..Verb::NONE
};

/// The groups of verbs as `kubectl --help` lists them; a verb without a row in [`ROOT`] is only listed, and the
/// help says that it is not here.
pub(super) const GROUPS: &[(&str, &[(&str, &str)])] = &[
    (
        "Basic Commands (Beginner):",
        &[
            ("create", "Create a resource from a file or from stdin"),
            (
                "expose",
                "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
            ),
            ("run", "Run a particular image on the cluster"),
            ("set", "Set specific features on objects"),
        ],
    ),
    (
        "Basic Commands (Intermediate):",
        &[
            ("explain", "Get documentation for a resource"),
            ("get", "Display one or many resources"),
            ("edit", "Edit a resource on the server"),
            (
                "delete",
                "Delete resources by file names, stdin, resources and names, or by resources and label selector",
            ),
        ],
    ),
    (
        "Deploy Commands:",
        &[
            ("rollout", "Manage the rollout of a resource"),
            ("scale", "Set a new size for a deployment, replica set, or replication controller"),
            ("autoscale", "Auto-scale a deployment, replica set, stateful set, or replication controller"),
        ],
    ),
    (
        "Cluster Management Commands:",
        &[
            ("certificate", "Modify certificate resources"),
            ("cluster-info", "Display cluster information"),
            ("top", "Display resource (CPU/memory) usage"),
            ("cordon", "Mark node as unschedulable"),
            ("uncordon", "Mark node as schedulable"),
            ("drain", "Drain node in preparation for maintenance"),
            ("taint", "Update the taints on one or more nodes"),
        ],
    ),
    (
        "Troubleshooting and Debugging Commands:",
        &[
            ("describe", "Show details of a specific resource or group of resources"),
            ("logs", "Print the logs for a container in a pod"),
            ("attach", "Attach to a running container"),
            ("exec", "Execute a command in a container"),
            ("port-forward", "Forward one or more local ports to a pod"),
            ("proxy", "Run a proxy to the Kubernetes API server"),
            ("cp", "Copy files and directories to and from containers"),
            ("auth", "Inspect authorization"),
            ("debug", "Create debugging sessions for troubleshooting workloads and nodes"),
            ("events", "List events"),
        ],
    ),
    (
        "Advanced Commands:",
        &[
            ("diff", "Diff the live version against a would-be applied version"),
            ("apply", "Apply a configuration to a resource by file name or stdin"),
            ("patch", "Update fields of a resource"),
            ("replace", "Replace a resource by file name or stdin"),
            ("wait", "Wait for a specific condition on one or many resources"),
            ("kustomize", "Build a kustomization target from a directory or URL"),
        ],
    ),
    (
        "Settings Commands:",
        &[
            ("label", "Update the labels on a resource"),
            ("annotate", "Update the annotations on a resource"),
            (
                "completion",
                "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)",
            ),
        ],
    ),
    ("Subcommands provided by plugins:", &[]),
    (
        "Other Commands:",
        &[
            ("api-resources", "Print the supported API resources on the server"),
            (
                "api-versions",
                "Print the supported API versions on the server, in the form of \"group/version\"",
            ),
            ("config", "Modify kubeconfig files"),
            ("kuberc", "Manage kuberc configuration files"),
            ("plugin", "Provides utilities for interacting with plugins"),
            ("version", "Print the client and server version information"),
        ],
    ),
];

/// Flags that every verb takes. Those about the connection change nothing here.
pub(super) static GLOBAL_FLAGS: &[Flag] = &[
    flag(
        "as",
        '\0',
        "''",
        "Username to impersonate for the operation. User could be a regular user or a service account in a namespace.",
    ),
    flag(
        "as-group",
        '\0',
        "[]",
        "Group to impersonate for the operation, this flag can be repeated to specify multiple groups.",
    ),
    flag("as-uid", '\0', "''", "UID to impersonate for the operation."),
    flag(
        "as-user-extra",
        '\0',
        "[]",
        "User extras to impersonate for the operation, this flag can be repeated to specify multiple values for the same key.",
    ),
    flag("cache-dir", '\0', "'$HOME/.kube/cache'", "Default cache directory"),
    flag("certificate-authority", '\0', "''", "Path to a cert file for the certificate authority"),
    flag("client-certificate", '\0', "''", "Path to a client certificate file for TLS"),
    flag("client-key", '\0', "''", "Path to a client key file for TLS"),
    flag("cluster", '\0', "''", "The name of the kubeconfig cluster to use"),
    flag("context", '\0', "''", "The name of the kubeconfig context to use"),
    flag(
        "disable-compression",
        '\0',
        "false",
        "If true, opt-out of response compression for all requests to the server",
    ),
    flag(
        "insecure-skip-tls-verify",
        '\0',
        "false",
        "If true, the server's certificate will not be checked for validity. This will make your HTTPS connections insecure",
    ),
    flag("kubeconfig", '\0', "''", "Path to the kubeconfig file to use for CLI requests."),
    flag(
        "kuberc",
        '\0',
        "''",
        "Path to the kuberc file to use for preferences. This can be disabled by exporting KUBECTL_KUBERC=false feature gate or turning off the feature KUBERC=off.",
    ),
    flag("log-flush-frequency", '\0', "5s", "Maximum number of seconds between log flushes"),
    flag("match-server-version", '\0', "false", "Require server version to match client version"),
    flag("namespace", 'n', "''", "If present, the namespace scope for this CLI request"),
    flag("password", '\0', "''", "Password for basic authentication to the API server"),
    flag(
        "profile",
        '\0',
        "'none'",
        "Name of profile to capture. One of (none|cpu|heap|goroutine|threadcreate|block|mutex|trace)",
    ),
    flag("profile-output", '\0', "'profile.pprof'", "Name of the file to write the profile to"),
    flag(
        "request-timeout",
        '\0',
        "'0'",
        "The length of time to wait before giving up on a single server request. Non-zero values should contain a corresponding time unit (e.g. 1s, 2m, 3h). A value of zero means don't timeout requests.",
    ),
    flag("server", 's', "''", "The address and port of the Kubernetes API server"),
    flag(
        "tls-server-name",
        '\0',
        "''",
        "Server name to use for server certificate validation. If it is not provided, the hostname used to contact the server is used",
    ),
    flag("token", '\0', "''", "Bearer token for authentication to the API server"),
    flag("user", '\0', "''", "The name of the kubeconfig user to use"),
    flag("username", '\0', "''", "Username for basic authentication to the API server"),
    flag("v", 'v', "0", "number for the log level verbosity"),
    flag(
        "vmodule",
        '\0',
        "",
        "comma-separated list of pattern=N settings for file-filtered logging (only works for the default text log format)",
    ),
    flag(
        "warnings-as-errors",
        '\0',
        "false",
        "Treat warnings received from the server as errors and exit with a non-zero exit code",
    ),
];
