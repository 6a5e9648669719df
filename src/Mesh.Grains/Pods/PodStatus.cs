using System.Text.Json;
using Mesh.Core.Json;
using Mesh.Core.Pods;
using Mesh.Grains.Objects;

namespace Mesh.Grains.Pods;

/// <summary>What the API shows of a Pod's life: conditions and container statuses, written after the fact.</summary>
/// <param name="IsReady">All of it: the Pod's own readiness, and something is heard of its node.</param>
/// <param name="Reason">Why it is not ready, a CamelCase word; empty when there is nothing to say.</param>
internal sealed record PodStatus(bool IsReady, string Reason, string Message, string PodIP, string HostIP)
{
    /// <summary>Nothing is heard of the Pod's node: what its container does is as it was last heard of.</summary>
    public const string NodeUnknown = "NodeStatusUnknown";

    private const string AwaitedThere = "Mesh starts no process; it waits for one that listens there: ";

    /// <summary>The process that a manifest stands for is not there: its container waits, as one whose image is still being pulled.</summary>
    private bool IsAwaited => !IsReady && Reason == PodReasons.ProcessAwaited;

    /// <summary>What the document shows already, while its node has said nothing to this activation.</summary>
    public static PodStatus Stored(ShownPod shown, string podIP, string hostIP) => new(shown.Ready == "True", shown.Reason, shown.Message, podIP, hostIP);

    /// <summary>Where the process of a manifest is awaited, as its containers show; null when they show something else.</summary>
    public static string? Awaited(ReadOnlyMemory<byte> document)
    {
        using var pod = JsonDocument.Parse(document, DocumentSplice.AsStored);
        var waiting = pod.RootElement.Child("status").Items("containerStatuses").FirstOrDefault().Child("state").Child("waiting");
        return waiting.Text("reason") == PodReasons.ProcessAwaited && waiting.Text("message") is { } message && message.StartsWith(AwaitedThere, StringComparison.Ordinal)
            ? message[AwaitedThere.Length..]
            : null;
    }

    /// <summary>The condition's reason for a node's word: of a failed probe, as the kubelet's, that containers are not ready.</summary>
    public static string ReasonOf(string word) => word is "" or PodReasons.Unhealthy ? "ContainersNotReady" : word;

    /// <summary>
    /// The document with this status, all else byte for byte as it was. A condition's transition time moves only with its status.
    /// </summary>
    public ReadOnlyMemory<byte> Apply(ReadOnlyMemory<byte> document, DateTimeOffset now)
    {
        using var pod = JsonDocument.Parse(document, DocumentSplice.AsStored);
        return DocumentSplice.Replace(document, "status"u8, (Status: this, Pod: pod.RootElement, Now: StoredFields.Time(now)), static (writer, with) =>
            with.Status.Write(writer, with.Pod, with.Now));
    }

    private void Write(Utf8JsonWriter writer, JsonElement pod, string now)
    {
        var before = pod.Child("status");
        writer.WriteStartObject();
        writer.WriteString("phase", Phase(before.Text("phase")));
        writer.WriteStartArray("conditions");
        WriteCondition(writer, "PodScheduled", true, before, now);
        WriteCondition(writer, "Initialized", true, before, now);
        WriteCondition(writer, "ContainersReady", IsReady, before, now);
        WriteCondition(writer, "Ready", IsReady, before, now);
        writer.WriteEndArray();
        WriteAddress(writer, "hostIP", "hostIPs", HostIP);
        WriteAddress(writer, "podIP", "podIPs", PodIP);
        WriteContainers(writer, pod, now);
        WriteOrKeep(writer, before, "startTime", now);
        WriteOrKeep(writer, before, "qosClass", "BestEffort");
        foreach (var other in before.ValueKind == JsonValueKind.Object ? before.EnumerateObject() : default)
        {
            if (!IsWritten(other.Name))
            {
                other.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }

    private bool IsWritten(string field) => field switch
    {
        "hostIP" or "hostIPs" => HostIP.Length > 0,
        "podIP" or "podIPs" => PodIP.Length > 0,
        _ => field is "phase" or "conditions" or "containerStatuses" or "startTime" or "qosClass",
    };

    private static void WriteOrKeep(Utf8JsonWriter writer, JsonElement before, string field, string otherwise)
    {
        writer.WriteString(field, before.Text(field) ?? otherwise);
    }

    /// <summary>A Pod that ran does not go back to Pending when its process is away, as one whose container is restarted.</summary>
    private string Phase(string? before) => (IsAwaited, Reason) switch
    {
        (true, _) => before == "Running" ? before : "Pending",
        (_, NodeUnknown) => before ?? "Running",
        _ => "Running",
    };

    /// <summary>Whether the stored document shows this already.</summary>
    public bool IsShownBy(ShownPod shown) =>
        shown.Ready == (IsReady ? "True" : "False")
        && shown.Reason == (IsReady ? "" : Reason)
        && shown.Message == (IsReady ? "" : Message)
        && shown.StatusIP == PodIP;

    private static void WriteAddress(Utf8JsonWriter writer, string field, string list, string address)
    {
        if (address.Length > 0)
        {
            writer.WriteString(field, address);
            writer.WriteStartArray(list);
            writer.WriteStartObject();
            writer.WriteString("ip", address);
            writer.WriteEndObject();
            writer.WriteEndArray();
        }
    }

    private void WriteCondition(Utf8JsonWriter writer, string type, bool isTrue, JsonElement before, string now)
    {
        var status = isTrue ? "True" : "False";
        var known = Find(before, type);
        writer.WriteStartObject();
        writer.WriteString("type", type);
        writer.WriteString("status", status);
        writer.WriteNull("lastProbeTime");
        writer.WriteString("lastTransitionTime", known.Text("status") == status ? known.Text("lastTransitionTime") : now);
        if (!isTrue && Reason.Length > 0)
        {
            writer.WriteString("reason", Reason);
        }

        if (!isTrue && Message.Length > 0)
        {
            writer.WriteString("message", Message);
        }

        writer.WriteEndObject();
    }

    private void WriteContainers(Utf8JsonWriter writer, JsonElement pod, string now)
    {
        var before = pod.Child("status").Items("containerStatuses").FirstOrDefault().Child("state");
        writer.WriteStartArray("containerStatuses");
        foreach (var container in pod.Child("spec").Items("containers"))
        {
            writer.WriteStartObject();
            writer.WriteString("name", container.Text("name"));
            writer.WriteString("image", container.Text("image") ?? "");
            writer.WriteString("imageID", "");
            writer.WriteBoolean("ready", IsReady);
            writer.WriteBoolean("started", !IsAwaited && (!IsAsBefore(before) || before.Has("running")));
            writer.WriteNumber("restartCount", 0);
            writer.WritePropertyName("state");
            WriteState(writer, before, now);
            writer.WriteStartObject("lastState");
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private void WriteState(Utf8JsonWriter writer, JsonElement before, string now)
    {
        if (!IsAwaited && IsAsBefore(before))
        {
            before.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        if (IsAwaited)
        {
            writer.WriteStartObject("waiting");
            writer.WriteString("reason", Reason);
            writer.WriteString("message", AwaitedThere + Message);
        }
        else
        {
            writer.WriteStartObject("running");
            writer.WriteString("startedAt", before.Child("running").Text("startedAt") ?? now);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private bool IsAsBefore(JsonElement before) => Reason == NodeUnknown && before.ValueKind == JsonValueKind.Object;

    private static JsonElement Find(JsonElement before, string type)
    {
        foreach (var condition in before.Items("conditions"))
        {
            if (condition.Has("type") && condition.GetProperty("type").ValueEquals(type))
            {
                return condition;
            }
        }

        return default;
    }
}
