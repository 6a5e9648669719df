using System.Text;
using Mesh.Hosting.Files;
using Mesh.Silo.Nodes;

namespace Mesh.Silo.Starting;

/// <summary>What a person sees when a silo has started: everything needed to use, stop and start it again.</summary>
internal static class StartupBlock
{
    public static string For(SiloAddresses addresses, DataDirectory data, NodeSupervisor node, IReadOnlyList<string> arguments)
    {
        var text = new StringBuilder();
        void Row(string name, string value) => text.AppendLine($"  {name,-16} {value}");

        text.AppendLine("Mesh is up.");
        Row("Kubernetes API", $"https://{addresses.Api}");
        Row("Ingress", $"http://{addresses.IngressHttp}");
        Row("registration", $"http://{addresses.Node}  (also {data.NodeSocket})");
        Row("DNS", $"{addresses.Dns}  (UDP and TCP)");
        Row("data directory", data.FullPath);
        Row("processes", $"mesh-silo {Environment.ProcessId}, mesh-node {node.Pid}{(node.TookOver ? " (kept running)" : "")}");
        Row("node's log", data.NodeLog);
        Row("kubectl", $"export KUBECONFIG={Quote(data.Kubeconfig)}");
        Row("stop", $"Ctrl-C, or: mesh-silo --stop --data-dir {Quote(data.FullPath)}");
        Row("start again", CommandLine(arguments));
        return text.ToString();
    }

    /// <summary>What was typed, as far as the process can know it.</summary>
    private static string CommandLine(IReadOnlyList<string> arguments) =>
        string.Join(' ', arguments.Skip(1).Prepend(Environment.ProcessPath ?? "mesh-silo").Select(Quote));

    /// <summary>As a shell takes it back.</summary>
    private static string Quote(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:=,@%+".Contains(c, StringComparison.Ordinal))
            ? word
            : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
