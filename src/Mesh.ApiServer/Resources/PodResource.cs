using System.Collections.Immutable;
using System.Text.Json.Nodes;
using k8s.Models;
using Mesh.ApiServer.Printing;
using Mesh.ApiServer.Schemas;
using Mesh.Grains.Abstractions.Objects;

namespace Mesh.ApiServer.Resources;

/// <summary>Pods: written by their grains, which also write what the nodes report.</summary>
internal static class PodResource
{
    private const string NoContainers = "Mesh runs no containers: the Pod is a process of its machine";

    public static Resource Create(SchemaReader schemas) => new()
    {
        Kind = "Pod",
        Plural = "pods",
        Singular = "pod",
        ShortNames = ["po"],
        Categories = ["all"],
        Schema = schemas.Read(typeof(V1Pod)),
        WrittenBy = new WrittenBy.Grain(static (grains, key) => grains.GetGrain<IPodGrain>(key)),
        NotImplemented = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal,
        [
            Sentence("attach", $"{NoContainers}, so there is nothing to attach to"),
            Sentence("exec", $"{NoContainers}, so commands cannot be run in it; run them on its node"),
            Sentence("log", $"{NoContainers}, so its output is not here; read it where the process was started"),
            Sentence("portforward", $"{NoContainers}; connect to status.podIP or to a Service instead"),
            Sentence("proxy", "proxying to a Pod is not in this version; connect to status.podIP instead"),
            Sentence("eviction", "eviction is not in this version; delete the Pod instead"),
            Sentence("ephemeralcontainers", NoContainers),
        ]),
        Default = PodDefaults.Apply,
        ReturnsDeleted = true,
        InitialStatus = static () => new JsonObject { ["phase"] = "Pending", ["qosClass"] = "BestEffort" },
        Carry = PodDefaults.KeepAssigned,
        Validate = PodValidation.Validate,
        Warn = PodWarnings.For,
        SelectableFields =
        [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
            "status.phase", "status.podIP", "status.nominatedNodeName",
        ],
        Columns =
        [
            TableColumn.ObjectName,
            TableColumn.Text("Ready"),
            TableColumn.Text("Status"),
            TableColumn.Text("Restarts"),
            TableColumn.Age,
            TableColumn.Wide("IP"),
            TableColumn.Wide("Node"),
            TableColumn.Wide("Nominated Node"),
            TableColumn.Wide("Readiness Gates"),
        ],
        Cells = PodCells.For,
    };

    private static KeyValuePair<string, string> Sentence(string subresource, string sentence) => new(subresource, sentence);
}
