using System.Text.Json;
using Mesh.Core.Json;
using Mesh.Core.Services;

namespace Mesh.Core.Pods;

/// <summary>Reads a container's probe, with the defaults that the API server would fill in (core/v1 <c>SetDefaults_Probe</c>).</summary>
internal static class ProbeParser
{
    /// <summary>Null without a probe, and for actions that need a kubelet (exec, grpc): then the ports decide.</summary>
    public static Probe? Read(JsonElement probe)
    {
        if (Action(probe) is not { } action)
        {
            return null;
        }

        return new Probe
        {
            Action = action,
            InitialDelay = TimeSpan.FromSeconds(AtLeast(probe, "initialDelaySeconds", least: 0, ifZero: 0)),
            Period = TimeSpan.FromSeconds(AtLeast(probe, "periodSeconds", least: 1, ifZero: 10)),
            Timeout = TimeSpan.FromSeconds(AtLeast(probe, "timeoutSeconds", least: 1, ifZero: 1)),
            SuccessThreshold = AtLeast(probe, "successThreshold", least: 1, ifZero: 1),
            FailureThreshold = AtLeast(probe, "failureThreshold", least: 1, ifZero: 3),
        };
    }

    private static ProbeAction? Action(JsonElement probe)
    {
        if (probe.Child("httpGet") is { ValueKind: JsonValueKind.Object } http)
        {
            return new ProbeAction.HttpGet(
                Or(http.Text("scheme"), "HTTP"),
                Host(http),
                Port(http),
                Or(http.Text("path"), "/"),
                [.. http.Items("httpHeaders").Select(header => (header.RequiredText("name"), header.Text("value") ?? ""))]);
        }

        return probe.Child("tcpSocket") is { ValueKind: JsonValueKind.Object } tcp ? new ProbeAction.TcpSocket(Host(tcp), Port(tcp)) : null;
    }

    private static string? Host(JsonElement action) => action.Text("host") is { Length: > 0 } host ? host : null;

    private static string Or(string? text, string ifEmpty) => text is { Length: > 0 } ? text : ifEmpty;

    private static PortReference Port(JsonElement action) =>
        action.TryGetProperty("port", out var port) && port.ValueKind == JsonValueKind.String
            ? new PortReference(0, port.GetString())
            : new PortReference(ServiceParser.PortNumber(action, "port"), null);

    private static int AtLeast(JsonElement probe, string name, int least, int ifZero)
    {
        var number = probe.Number(name) is { } told and not 0 ? told : ifZero;
        return number >= least ? number : throw new FormatException($"'{name}' is less than {least}.");
    }
}
