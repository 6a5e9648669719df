using System.Collections;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Mesh.Hosting.Options;

/// <summary>From arguments, environment and file to valid options, or to the one line that says why not.</summary>
public sealed class OptionsParser
{
    private readonly OptionSources _sources;
    private string? _refusal;

    private OptionsParser(OptionSources sources)
    {
        _sources = sources;
    }

    /// <summary>Touches nothing but the file that <c>--config</c> names.</summary>
    public static OptionsOutcome Parse(
        IReadOnlyList<string> arguments, IDictionary environment, string hostName, ImmutableArray<OptionDefinition> table)
    {
        if (OptionSources.Read(arguments, environment, table, out var sources) is { } refusal)
        {
            return new OptionsOutcome.Refused(refusal);
        }

        if (sources.Switches.Contains("help"))
        {
            return new OptionsOutcome.Help();
        }

        if (sources.Switches.Contains("version"))
        {
            return new OptionsOutcome.Version();
        }

        var parser = new OptionsParser(sources);
        parser.RefuseTwoCommands();
        parser.RefuseCopyOfServer();
        var options = parser.Options(hostName);
        parser.RefuseClashes(options);
        return parser._refusal is { } line ? new OptionsOutcome.Refused(line)
            : sources.Switches.Contains("stop") ? new OptionsOutcome.Stop(options.DataDir)
            : sources.Find("backup") is { } backup ? new OptionsOutcome.Backup(options.DataDir, Path.GetFullPath(backup.Value))
            : sources.Find("restore") is { } restore ? new OptionsOutcome.Restore(options.DataDir, Path.GetFullPath(restore.Value))
            : new OptionsOutcome.Run(options);
    }

    /// <summary>
    /// For a process that takes only <c>--data-dir</c> and <c>--config</c>. The file may be the silo's own, with options
    /// that are nothing to this process.
    /// </summary>
    public static OptionsOutcome ParseDataDir(IReadOnlyList<string> arguments, IDictionary environment)
    {
        if (OptionSources.Read(arguments, environment, OptionTable.Node, out var sources, inFile: OptionTable.Silo) is { } refusal)
        {
            return new OptionsOutcome.Refused(refusal);
        }

        if (sources.Switches.FirstOrDefault() is { } word)
        {
            return word switch
            {
                "help" => new OptionsOutcome.Help(),
                "version" => new OptionsOutcome.Version(),
                _ => new OptionsOutcome.Refused($"--{word} is for mesh-silo"),
            };
        }

        var parser = new OptionsParser(sources);
        var dataDir = parser.Take("data-dir", DirectoryPath, "a path", "./mesh-data");
        return parser._refusal is { } line ? new OptionsOutcome.Refused(line) : new OptionsOutcome.RunNode(dataDir);
    }

    private MeshOptions Options(string hostName)
    {
        foreach (var name in OptionTable.NotInThisVersion)
        {
            if (_sources.Find(name) is { } given)
            {
                Refuse($"{given.Source}: not in this version");
            }
        }

        Take("store", text => text == "sqlite" ? text : null, "sqlite", "sqlite", later: text => text.StartsWith("postgres", StringComparison.Ordinal));
        Take("node", text => text == "start" ? text : null, "start", "start", later: text => text == "external");
        return new MeshOptions
        {
            DataDir = Take("data-dir", DirectoryPath, "a path", "./mesh-data"),
            NodeName = NodeName(hostName),
            Advertise = Take("advertise", Address, "an IP address of this machine", "127.0.0.1"),
            ApiListen = Listen("api-listen", "127.0.0.1:6443"),
            NodeListen = Listen("node-listen", "127.0.0.1:6480"),
            IngressHttp = Listen("ingress-http", "0.0.0.0:8780"),
            IngressHttps = Listen("ingress-https", "0.0.0.0:8743"),
            DnsListen = Listen("dns-listen", "127.0.0.1:10053"),
            ServiceCidr = Cidr("service-cidr", "127.96.0.0/16"),
            PodCidr = Cidr("pod-cidr", "127.80.0.0/16"),
            NodePortRange = Take("nodeport-range", PortRange.TryParse, "a range of ports, such as " + OptionTable.NodePorts, OptionTable.NodePorts),
            NodePortAddresses = Take("nodeport-addresses", NodePortAddresses, "all, or IPv4 addresses and networks, separated by commas", "all").Value,
            LoadBalancerPool = LoadBalancerPool(),
            ClusterDomain = Take("cluster-domain", text => NameSyntax.IsSubdomain(text) ? text : null, "a DNS name in lower case", "cluster.local"),
            SiloPort = Take("silo-port", Port, "a port", "11111").Value,
            RegisterUids = Take("register-uids", Uids, "numeric user ids, separated by commas", "").Value,
            LogLevel = Take("log-level", Level, "trace, debug, info, warning or error", "info").Value,
            LogFormat = _sources.Find("log-format") is null ? null : Take("log-format", text => text is "text" or "json" ? text : null, "text or json", "json"),
            TraceControlPlane = Take("trace-control-plane", Traces, "none, requests or all", "none").Value,
        };
    }

    private string NodeName(string hostName)
    {
        if (_sources.Find("node-name") is null)
        {
            var lowered = hostName.ToLowerInvariant();
            if (!NameSyntax.IsSubdomain(lowered))
            {
                Refuse($"the host name '{hostName}' is no valid Node name: choose one with --node-name");
            }

            return lowered;
        }

        return Take("node-name", text => NameSyntax.IsSubdomain(text) ? text : null, "a DNS name in lower case", "");
    }

    private ListenAddress Listen(string name, string fallback) =>
        Take(name, text => ListenAddress.TryCreate(text, out var address) ? address : null, "an IP address and a port, such as " + fallback, fallback);

    private IPNetwork Cidr(string name, string fallback) =>
        Take<Boxed<IPNetwork>>(
            name,
            text => IPNetwork.TryParse(text, out var network)
                && network.BaseAddress.AddressFamily == AddressFamily.InterNetwork
                && network.PrefixLength is >= 9 and <= 28
                ? new Boxed<IPNetwork>(network)
                : null,
            "an IPv4 network of /9 to /28, such as " + fallback,
            fallback,
            // Only loopback addresses are local on every machine without set-up.
            later: text => IPNetwork.TryParse(text, out var network)
                && network.BaseAddress.AddressFamily == AddressFamily.InterNetwork
                && network.BaseAddress.GetAddressBytes()[0] != 127).Value;

    /// <summary>Empty when it is not given: the machine's own address is known to whoever asks for the pool.</summary>
    private ImmutableArray<IPNetwork> LoadBalancerPool() => _sources.Find("loadbalancer-pool") is null
        ? []
        : Take("loadbalancer-pool", Blocks, "IPv4 addresses and networks, separated by commas", "127.0.0.1").Value;

    private T Take<T>(string name, Func<string, T?> parse, string expected, string fallback, Func<string, bool>? later = null)
        where T : class
    {
        if (_sources.Find(name) is { } given)
        {
            if (later?.Invoke(given.Value) == true)
            {
                Refuse($"{given.Source} {Secrets.Hide(given.Value)}: not in this version");
            }
            else if (parse(given.Value) is { } value)
            {
                return value;
            }
            else
            {
                Refuse($"{given.Source} '{Secrets.Hide(given.Value)}' is not {expected}");
            }
        }

        return parse(fallback) ?? parse("invalid")!;
    }

    private void RefuseClashes(MeshOptions options)
    {
        foreach (var line in OptionClashes.Of(options))
        {
            Refuse(line);
        }
    }

    private void RefuseTwoCommands()
    {
        string[] given =
        [
            .. OptionTable.FileCommands.Select(command => command.Name).Where(name => _sources.Find(name) is not null),
            .. _sources.Switches.Where(name => name == "stop"),
        ];
        if (given.Length > 1)
        {
            Refuse($"--{given[0]} and --{given[1]} are two commands: give one");
        }

        foreach (var name in given.Where(name => _sources.Find(name) is { } file && DirectoryPath(file.Value) is null))
        {
            Refuse($"--{name}: that is no path");
        }
    }

    /// <summary>A server has tools of its own, which copy it whole also while it is written to.</summary>
    private void RefuseCopyOfServer()
    {
        if (_sources.Find("store") is { } store && store.Value.StartsWith("postgres", StringComparison.Ordinal)
            && (_sources.Find("backup") ?? _sources.Find("restore")) is { } copy)
        {
            Refuse($"{copy.Source} is for the store in the data directory: copy PostgreSQL with pg_dump, and put it back with pg_restore");
        }
    }

    /// <summary>The first refusal is the one that is told.</summary>
    private void Refuse(string line) => _refusal ??= line;

    private static string? DirectoryPath(string text) =>
        text.Contains('\0', StringComparison.Ordinal) ? null : Path.TrimEndingDirectorySeparator(Path.GetFullPath(text));

    private static IPAddress? Address(string text) =>
        IPAddress.TryParse(text, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) ? address : null;

    private static Boxed<int>? Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort ? new(port) : null;

    private static Boxed<ImmutableArray<IPNetwork>>? NodePortAddresses(string text) => text == "all" ? new([]) : Blocks(text);

    private static Boxed<ImmutableArray<IPNetwork>>? Blocks(string text) =>
        AddressBlocks.TryParse(text) is { } blocks ? new Boxed<ImmutableArray<IPNetwork>>(blocks) : null;

    private static Boxed<ImmutableArray<uint>>? Uids(string text)
    {
        var uids = ImmutableArray.CreateBuilder<uint>();
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!uint.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var uid))
            {
                return null;
            }

            uids.Add(uid);
        }

        return new(uids.ToImmutable());
    }

    private static Boxed<LogLevel>? Level(string text) => text switch
    {
        "trace" => new(LogLevel.Trace),
        "debug" => new(LogLevel.Debug),
        "info" => new(LogLevel.Information),
        "warning" or "warn" => new(LogLevel.Warning),
        "error" => new(LogLevel.Error),
        _ => null,
    };

    private static Boxed<ControlPlaneTraces>? Traces(string text) => text switch
    {
        "none" => new(ControlPlaneTraces.None),
        "requests" => new(ControlPlaneTraces.Requests),
        "all" => new(ControlPlaneTraces.All),
        _ => null,
    };

    /// <summary>Lets one method parse values and references alike.</summary>
    private sealed record Boxed<T>(T Value);
}
