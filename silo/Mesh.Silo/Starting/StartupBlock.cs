using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using Mesh.Hosting.Files;
using Mesh.Hosting.Logging;
using Mesh.Hosting.Options;
using Mesh.Silo.Nodes;

namespace Mesh.Silo.Starting;

/// <summary>
/// What a person sees when a silo has started: everything needed to use, stop and start it again, each value as it can be
/// pasted. A program that reads the output gets the same as one line of JSON.
/// </summary>
internal sealed class StartupBlock
{
    private const string Headline = "Mesh is up.";

    private readonly IReadOnlyList<(string Name, string Value, string Note)> _rows;

    public StartupBlock(SiloAddresses addresses, MeshOptions options, DataDirectory data, NodeSupervisor node, StartCommand command)
    {
        _rows =
        [
            ("Kubernetes API", $"https://{Reachable(addresses.Api)}", ""),
            ("Ingress", $"http://{Reachable(addresses.IngressHttp)}", ""),
            ("Ingress HTTPS", $"https://{Reachable(addresses.IngressHttps)}", ""),
            ("registration", $"http://{Reachable(addresses.Node)}", $"also {data.NodeSocket}"),
            ("DNS", Reachable(addresses.Dns).ToString(), "UDP and TCP"),
            ("open to the network", OpenToTheNetwork(addresses, options), ""),
            ("data directory", data.FullPath, ""),
            ("processes", $"mesh-silo {Environment.ProcessId}, mesh-node {node.Pid}{(node.TookOver ? " (kept running)" : "")}", ""),
            ("node's log", data.NodeLog, ""),
            ("kubectl", $"export KUBECONFIG={StartCommand.Quote(data.Kubeconfig)}", ""),
            ("stop", command.Stop(data.FullPath), "or Ctrl-C"),
            ("start again", command.Start(data.FullPath), ""),
        ];
    }

    public string AsText()
    {
        var text = new StringBuilder().AppendLine(Headline);
        foreach (var (name, value, note) in _rows)
        {
            // A shell reads from # on as a comment.
            text.AppendLine(CultureInfo.InvariantCulture, $"  {name,-19} {value}{(note.Length > 0 ? "  # " + note : "")}");
        }

        return text.ToString();
    }

    public string AsJson(DateTimeOffset now) =>
        JsonLine.Of(now, "Mesh.Silo", "Up", Headline, [.. _rows.Select(row => KeyValuePair.Create(Key(row.Name), (object?)row.Value))]);

    private static string Key(string name) => name.Replace("'s", "", StringComparison.Ordinal).Replace(' ', '_').ToLowerInvariant();

    /// <summary>An address to open: all of them are none.</summary>
    private static IPEndPoint Reachable(ListenAddress at) => at.IsAny
        ? new IPEndPoint(at.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : IPAddress.IPv6Loopback, at.Port)
        : new IPEndPoint(at.Address, at.Port);

    private static string OpenToTheNetwork(SiloAddresses addresses, MeshOptions options)
    {
        (string Name, ListenAddress At)[] listeners =
            [("Kubernetes API", addresses.Api), ("Ingress", addresses.IngressHttp), ("Ingress HTTPS", addresses.IngressHttps), ("registration", addresses.Node), ("DNS", addresses.Dns)];
        var open = listeners.Where(listener => !IPAddress.IsLoopback(listener.At.Address)).Select(listener => $"{listener.Name} on {listener.At}").ToList();
        // Those of Services that there are, and of those to come.
        if (options.NodePortAddresses.IsEmpty)
        {
            open.Add($"NodePorts {options.NodePortRange.First}-{options.NodePortRange.Last} on every address");
        }

        Add($"NodePorts {options.NodePortRange.First}-{options.NodePortRange.Last}", options.NodePortAddresses);
        Add("LoadBalancer Services", options.LoadBalancerPool);
        return open.Count > 0 ? string.Join(", ", open) : "nothing";

        void Add(string name, ImmutableArray<IPNetwork> blocks)
        {
            if (blocks.Where(block => !IPAddress.IsLoopback(block.BaseAddress)).ToList() is { Count: > 0 } others)
            {
                open.Add($"{name} on {string.Join(" and ", others)}");
            }
        }
    }
}
