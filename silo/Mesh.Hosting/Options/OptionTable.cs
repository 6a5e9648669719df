using System.Collections.Immutable;

namespace Mesh.Hosting.Options;

/// <summary>One row of the table of options.</summary>
/// <param name="Name">As on the command line, without dashes.</param>
/// <param name="Value">What stands for the value in the help.</param>
/// <param name="Default">Text of the default, empty when there is none.</param>
public sealed record OptionDefinition(string Name, string Value, string Default, string Help)
{
    /// <summary><c>--data-dir</c> is <c>MESH_DATA_DIR</c>.</summary>
    public string Variable => "MESH_" + Name.Replace('-', '_').ToUpperInvariant();
}

/// <summary>Every option there is. One that asks for what is not built yet parses, and is refused.</summary>
public static class OptionTable
{
    public const string NodePorts = "30000-32767";

    public static ImmutableArray<OptionDefinition> Silo { get; } =
    [
        new("data-dir", "DIR", "./mesh-data", "embedded store, certificates, token, journal, sockets"),
        new("store", "sqlite|URL", "sqlite", "where objects are kept: in the data directory, or postgres://…"),
        new("node-name", "NAME", "host name", "Node object of this machine"),
        new("advertise", "ADDRESS", "127.0.0.1", "address that other machines dial, and host Pods get"),
        new("api-listen", "ADDRESS:PORT", "127.0.0.1:6443", "Kubernetes API (TLS)"),
        new("node-listen", "ADDRESS:PORT", "127.0.0.1:6480", "registration of Pods, and this machine's health"),
        new("link-listen", "ADDRESS:PORT", "", "where other machines' nodes may link"),
        new("node", "start|external", "start", "external: the node is a unit of its own"),
        new("ingress-http", "ADDRESS:PORT", "0.0.0.0:8780", "Ingress, HTTP"),
        new("ingress-https", "ADDRESS:PORT", "0.0.0.0:8743", "Ingress, HTTPS"),
        new("dns-listen", "ADDRESS:PORT", "127.0.0.1:10053", "DNS, UDP and TCP"),
        new("service-cidr", "CIDR", "127.96.0.0/16", "ClusterIPs"),
        new("pod-cidr", "CIDR", "127.80.0.0/16", "addresses handed to Pods that ask for one"),
        new("nodeport-range", "FIRST-LAST", NodePorts, "ports that NodePort Services get"),
        new("nodeport-addresses", "all|CIDR,…", "all", "addresses of this machine that answer on NodePorts"),
        new("loadbalancer-pool", "CIDR,…", "--advertise", "addresses that LoadBalancer Services get"),
        new("cluster-domain", "DOMAIN", "cluster.local", "DNS zone of the cluster"),
        new("silo-port", "PORT", "11111", "between silos"),
        new("register-uids", "UID,…", "", "further users whose processes may register"),
        new("log-level", "LEVEL", "info", "trace, debug, info, warning or error"),
        new("log-format", "text|json", "text on a terminal, else json", "form of the silo's log lines (node.log is JSON always)"),
        new("trace-control-plane", "none|requests|all", "none", "traces that the silo begins: of API requests, of everything"),
        new("config", "FILE", "", "YAML file with these options; command line and environment win"),
    ];

    /// <summary>The node gets everything else from its silo.</summary>
    public static ImmutableArray<OptionDefinition> Node { get; } =
        [.. Silo.Where(option => option.Name is "data-dir" or "config")];

    /// <summary>Given at all, these ask for what this version does not have.</summary>
    public static ImmutableHashSet<string> NotInThisVersion { get; } =
        ["link-listen"];

    /// <summary>What <c>mesh-silo</c> does instead of starting, with a file; on the command line only.</summary>
    public static ImmutableArray<OptionDefinition> FileCommands { get; } =
    [
        new("backup", "FILE", "", "copy the store of the data directory into a new file, also while a silo runs"),
        new("restore", "FILE", "", "put such a copy in the place of the store; the silo must be stopped"),
    ];

    public static bool IsOfSilo(ImmutableArray<OptionDefinition> table) => table.Length > Node.Length;

    /// <summary>Words that are not options with a value.</summary>
    public static ImmutableHashSet<string> Switches { get; } = ["stop", "help", "version"];
}
