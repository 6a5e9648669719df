using System.Text.Json.Nodes;
using Mesh.Core.Pods;

namespace Mesh.Grains.Pods;

/// <summary>What the API shows of a Pod's life: conditions and container statuses, written after the fact.</summary>
/// <param name="IsReady">All of it: the Pod's own readiness, and something is heard of its node.</param>
/// <param name="Reason">Why it is not ready, a CamelCase word; empty when there is nothing to say.</param>
internal sealed record PodStatus(bool IsReady, string Reason, string Message, string PodIP, string HostIP)
{
    /// <summary>Nothing is heard of the Pod's node: what its container does is as it was last heard of.</summary>
    public const string NodeUnknown = "NodeStatusUnknown";

    /// <summary>The process that a manifest stands for is not there: its container waits, as one whose image is still being pulled.</summary>
    private bool IsAwaited => !IsReady && Reason == PodReasons.ProcessAwaited;

    /// <summary>What the document shows already, while its node has said nothing to this activation.</summary>
    public static PodStatus Stored(ShownPod shown, string podIP, string hostIP) => new(shown.Ready == "True", shown.Reason, shown.Message, podIP, hostIP);

    /// <summary>The condition's reason for a node's word: of a failed probe, as the kubelet's, that containers are not ready.</summary>
    public static string ReasonOf(string word) => word is "" or PodReasons.Unhealthy ? "ContainersNotReady" : word;

    /// <summary>The document with this status. A condition's transition time moves only with its status.</summary>
    public ReadOnlyMemory<byte> Apply(ReadOnlyMemory<byte> document, DateTimeOffset now)
    {
        var pod = StoredFields.Open(document);
        Apply(pod, now);
        return StoredFields.Close(pod);
    }

    /// <inheritdoc cref="Apply(ReadOnlyMemory{byte}, DateTimeOffset)"/>
    public void Apply(JsonObject pod, DateTimeOffset now)
    {
        var status = pod.Child("status");
        var before = status["conditions"] as JsonArray;
        status["phase"] = Phase((string?)status["phase"]);
        status["conditions"] = new JsonArray(
            Condition("PodScheduled", true, before, now),
            Condition("Initialized", true, before, now),
            Condition("ContainersReady", IsReady, before, now),
            Condition("Ready", IsReady, before, now));
        status["startTime"] ??= StoredFields.Time(now);
        status["qosClass"] ??= "BestEffort";
        SetAddresses(status);
        status["containerStatuses"] = Containers(pod, status, now);
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

    private void SetAddresses(JsonObject status)
    {
        if (HostIP.Length > 0)
        {
            status["hostIP"] = HostIP;
            status["hostIPs"] = new JsonArray(new JsonObject { ["ip"] = HostIP });
        }

        if (PodIP.Length > 0)
        {
            status["podIP"] = PodIP;
            status["podIPs"] = new JsonArray(new JsonObject { ["ip"] = PodIP });
        }
    }

    private JsonObject Condition(string type, bool isTrue, JsonArray? before, DateTimeOffset now)
    {
        var status = isTrue ? "True" : "False";
        var known = Find(before, type);
        var condition = new JsonObject
        {
            ["type"] = type,
            ["status"] = status,
            ["lastProbeTime"] = null,
            ["lastTransitionTime"] = (string?)known?["status"] == status ? (string?)known?["lastTransitionTime"] : StoredFields.Time(now),
        };
        if (!isTrue && Reason.Length > 0)
        {
            condition["reason"] = Reason;
        }

        if (!isTrue && Message.Length > 0)
        {
            condition["message"] = Message;
        }

        return condition;
    }

    private JsonArray Containers(JsonObject pod, JsonObject status, DateTimeOffset now)
    {
        var before = (status["containerStatuses"] as JsonArray)?.FirstOrDefault()?["state"];
        var state = State(before, now);
        var statuses = new JsonArray();
        foreach (var container in pod["spec"]?["containers"] as JsonArray ?? [])
        {
            statuses.Add(new JsonObject
            {
                ["name"] = (string?)container?["name"],
                ["image"] = (string?)container?["image"] ?? "",
                ["imageID"] = "",
                ["ready"] = IsReady,
                ["started"] = state.ContainsKey("running"),
                ["restartCount"] = 0,
                ["state"] = state.DeepClone(),
                ["lastState"] = new JsonObject(),
            });
        }

        return statuses;
    }

    private JsonObject State(JsonNode? before, DateTimeOffset now)
    {
        if (IsAwaited)
        {
            return new JsonObject
            {
                ["waiting"] = new JsonObject { ["reason"] = Reason, ["message"] = $"Mesh starts no process; it waits for one that listens there: {Message}" },
            };
        }

        return Reason == NodeUnknown && before?.DeepClone() is JsonObject known
            ? known
            : new JsonObject { ["running"] = new JsonObject { ["startedAt"] = (string?)before?["running"]?["startedAt"] ?? StoredFields.Time(now) } };
    }

    private static JsonNode? Find(JsonArray? conditions, string type) =>
        conditions?.FirstOrDefault(condition => (string?)condition?["type"] == type);
}
