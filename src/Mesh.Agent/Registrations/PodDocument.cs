using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Mesh.Agent.Http;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Services;

namespace Mesh.Agent.Registrations;

/// <summary>A registered Pod as a Kubernetes Pod: as it is reported (no status) and as its stream shows it.</summary>
internal static class PodDocument
{
    /// <summary>What stands behind it.</summary>
    public static ReadOnlySpan<byte> LineEnd => "}\n"u8;

    /// <summary>What never changes of a registered Pod, and what its registration asks for.</summary>
    /// <param name="User">Whose process registered it; null when an earlier build did not ask.</param>
    public sealed record Facts(NamespacedName Name, string Uid, string NodeName, IPAddress Address, DateTimeOffset Created, Registration Registration, uint? User = null);

    /// <summary>What a stream shows beside that.</summary>
    public sealed record Shown(
        ImmutableSortedDictionary<string, string> Labels,
        ImmutableSortedDictionary<string, string> Annotations,
        long ResourceVersion,
        string? DeletionTimestamp,
        bool IsReady,
        string Reason);

    /// <summary>For the silo: labels, annotations, ports, address and probe as they were asked for.</summary>
    public static byte[] ForReport(Facts pod) => JsonBody.Write(json =>
        Write(json, pod, pod.Registration.Labels, pod.Registration.Annotations, shown: null));

    /// <summary>One line of the stream: a Pod as <see cref="One"/> gives it, under what happened to it.</summary>
    public static byte[] Line(string type, ReadOnlySpan<byte> one) => [.. LineBegin(type), .. one.TrimEnd((byte)'\n'), .. LineEnd];

    /// <summary>What stands before the object in such a line.</summary>
    public static byte[] LineBegin(string type) => [.. "{\"type\":\""u8, .. Encoding.ASCII.GetBytes(type), .. "\",\"object\":"u8];

    /// <summary>One Pod as it is shown, with a newline.</summary>
    public static byte[] One(Facts pod, Shown shown) => JsonBody.Write(json => Write(json, pod, shown.Labels, shown.Annotations, shown));

    public static byte[] List(IEnumerable<(Facts Pod, Shown Shown)> pods) => JsonBody.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("apiVersion", "v1");
        json.WriteString("kind", "PodList");
        json.WriteStartObject("metadata");
        json.WriteEndObject();
        json.WriteStartArray("items");
        foreach (var (pod, shown) in pods)
        {
            Write(json, pod, shown.Labels, shown.Annotations, shown);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    public static byte[] Status(Refusal refusal) => JsonBody.Write(json => Write(json, refusal));

    public static byte[] StatusLine(Refusal refusal) => JsonBody.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("type", "ERROR");
        json.WritePropertyName("object");
        Write(json, refusal);
        json.WriteEndObject();
    });

    /// <summary>What was asked for, as the body of a PUT: how the journal keeps it.</summary>
    public static byte[] Request(Registration registration) => JsonBody.Write(json =>
    {
        json.WriteStartObject();
        WriteMap(json, "labels", registration.Labels);
        WriteMap(json, "annotations", registration.Annotations);
        WritePorts(json, registration.Ports);
        json.WriteString("address", registration.Address);
        if (registration.Ready is { } ready)
        {
            json.WriteBoolean("ready", ready);
        }

        WriteProbe(json, registration);
        json.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter json, Refusal refusal)
    {
        json.WriteStartObject();
        json.WriteString("apiVersion", "v1");
        json.WriteString("kind", "Status");
        json.WriteStartObject("metadata");
        json.WriteEndObject();
        json.WriteString("status", "Failure");
        json.WriteString("message", refusal.Message);
        json.WriteString("reason", refusal.Reason);
        json.WriteNumber("code", refusal.Code);
        json.WriteEndObject();
    }

    private static void Write(
        Utf8JsonWriter json,
        Facts pod,
        ImmutableSortedDictionary<string, string> labels,
        ImmutableSortedDictionary<string, string> annotations,
        Shown? shown)
    {
        json.WriteStartObject();
        json.WriteString("apiVersion", "v1");
        json.WriteString("kind", "Pod");
        json.WriteStartObject("metadata");
        json.WriteString("name", pod.Name.Name);
        json.WriteString("namespace", pod.Name.Namespace);
        json.WriteString("uid", pod.Uid);
        json.WriteString("creationTimestamp", pod.Created.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        if (shown is { ResourceVersion: > 0 })
        {
            json.WriteString("resourceVersion", shown.ResourceVersion.ToString(CultureInfo.InvariantCulture));
        }

        if (shown?.DeletionTimestamp is { } deleting)
        {
            json.WriteString("deletionTimestamp", deleting);
        }

        WriteMap(json, "labels", labels);
        WriteMap(json, "annotations", annotations
            .SetItem(MeshAnnotations.RegisteredBy, MeshAnnotations.RegisteredByStream)
            .SetItem(MeshAnnotations.PodIP, pod.Address.ToString()));
        json.WriteEndObject();
        WriteSpec(json, pod);
        if (shown is not null)
        {
            WriteStatus(json, pod, shown);
        }

        json.WriteEndObject();
    }

    private static void WriteSpec(Utf8JsonWriter json, Facts pod)
    {
        json.WriteStartObject("spec");
        json.WriteString("nodeName", pod.NodeName);
        json.WriteStartArray("containers");
        json.WriteStartObject();
        json.WriteString("name", RegisteredContainer.NameOf(pod.Name.Name));
        WritePorts(json, pod.Registration.Ports);
        WriteProbe(json, pod.Registration);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteStatus(Utf8JsonWriter json, Facts pod, Shown shown)
    {
        json.WriteStartObject("status");
        json.WriteString("phase", "Running");
        json.WriteString("podIP", pod.Address.ToString());
        json.WriteStartArray("podIPs");
        json.WriteStartObject();
        json.WriteString("ip", pod.Address.ToString());
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartArray("conditions");
        json.WriteStartObject();
        json.WriteString("type", "Ready");
        json.WriteString("status", shown.IsReady ? "True" : "False");
        if (shown.Reason.Length > 0)
        {
            json.WriteString("message", shown.Reason);
        }

        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteMap(Utf8JsonWriter json, string name, ImmutableSortedDictionary<string, string> map)
    {
        if (map.IsEmpty)
        {
            return;
        }

        json.WriteStartObject(name);
        foreach (var (key, value) in map)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }

    private static void WritePorts(Utf8JsonWriter json, ImmutableArray<ContainerPort> ports)
    {
        if (ports.IsEmpty)
        {
            return;
        }

        json.WriteStartArray("ports");
        foreach (var port in ports)
        {
            json.WriteStartObject();
            if (port.Name is not null)
            {
                json.WriteString("name", port.Name);
            }

            json.WriteNumber("containerPort", port.Number);
            json.WriteString("protocol", port.Protocol switch
            {
                TransportProtocol.Tcp => "TCP",
                TransportProtocol.Udp => "UDP",
                TransportProtocol.Sctp => "SCTP",
                _ => throw new System.Diagnostics.UnreachableException(),
            });
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteProbe(Utf8JsonWriter json, Registration registration)
    {
        if (registration.ReadinessProbe is { } probe)
        {
            json.WritePropertyName("readinessProbe");
            probe.WriteTo(json);
        }
    }
}
