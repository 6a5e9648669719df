using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Mesh.Core.Dns;
using Mesh.Core.Names;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Core.Services;
using Xunit;

namespace Mesh.Core.Tests;

/// <summary>
/// Whole cases: the objects of <c>objects.yaml</c>, in order of age, give the snapshot of <c>snapshot.json</c>. That file also
/// names the requests and DNS questions to ask; their answers are part of it. With the environment variable
/// <c>MESH_REWRITE_CASES</c> naming the source folder, the files are written anew, to be read before they are committed.
/// </summary>
public class CaseTests
{
    private const string Rewrite = "MESH_REWRITE_CASES";

    private static readonly ImmutableArray<string> Zone = ["cluster", "local"];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Cases => [.. Directory.EnumerateDirectories(Root).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static string Root => Path.Combine(AppContext.BaseDirectory, "Cases");

    [Fact]
    public void There_are_cases() => Assert.True(Cases.Count >= 5);

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_objects_of_a_case_give_its_snapshot(string name)
    {
        var folder = Path.Combine(Root, name);
        var expected = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "snapshot.json")))!.AsObject();
        using var objects = File.OpenText(Path.Combine(folder, "objects.yaml"));
        var snapshot = Snapshot([.. YamlObjects.Read(objects)]);

        var actual = new JsonObject
        {
            ["services"] = new JsonObject(snapshot.Services.Values.OrderBy(route => route.Service.Name)
                .Select(route => KeyValuePair.Create(route.Service.Name.ToString(), (JsonNode?)Print(route)))),
            ["requests"] = Ask(expected, "requests", request => Request(snapshot, request)),
            ["names"] = Ask(expected, "names", question => Name(snapshot, question)),
        };

        if (Environment.GetEnvironmentVariable(Rewrite) is { Length: > 0 } source)
        {
            File.WriteAllText(Path.Combine(source, name, "snapshot.json"), actual.ToJsonString(Indented) + "\n");
        }

        Assert.Equal(expected.ToJsonString(Indented), actual.ToJsonString(Indented));
    }

    private static RoutingSnapshot Snapshot(JsonObject[] objects)
    {
        var table = new RoutingTable("here");
        var pods = objects.Where(item => (string?)item["kind"] == "Pod")
            .Select(item => PodParser.Parse(Json.Utf8(Stored(item, objects)), Age(item, objects)))
            .ToArray();
        foreach (var item in objects)
        {
            var document = Document(item, objects);
            table.Apply(new RoutingChange.NamespaceExists(document.Name.Namespace, true));
            switch ((string?)item["kind"])
            {
                case "Service":
                    var service = ServiceParser.Parse(document.Document, document.CreatedVersion);
                    table.Apply(new RoutingChange.ServiceSpec(document, Endpoints(service, pods)));
                    break;
                case "Ingress":
                    table.Apply(new RoutingChange.IngressSpec(document));
                    break;
            }
        }

        table.MarkSynced();
        return table.Current;
    }

    private static EndpointsChange Endpoints(Service service, Pod[] pods) => new(service.Uid, true, true, service.ResourceVersion,
    [
        .. pods.Where(pod => EndpointSelection.IsEndpoint(service, pod)).Select(pod => new Endpoint
        {
            Pod = pod.Name,
            Order = new RowOrder(pod.Uid, pod.CreatedVersion, pod.ResourceVersion, 0),
            Address = pod.PodIP!,
            Ports = EndpointSelection.PortsFor(service, pod.Ports),
            Ready = EndpointSelection.IsReady(service, pod.IsReady, pod.IsDeleting),
            Serving = pod.IsReady,
            Terminating = pod.IsDeleting,
        }),
    ]);

    private static ObjectDocument Document(JsonObject item, JsonObject[] all)
    {
        var metadata = item["metadata"]!;
        var name = NamespacedName.Of((string)metadata["namespace"]!, (string)metadata["name"]!);
        return new ObjectDocument(name, Uid(item), Age(item, all), Age(item, all), Json.Utf8(Stored(item, all)));
    }

    private static string Stored(JsonObject item, JsonObject[] all)
    {
        var stored = item.DeepClone();
        stored["metadata"]!["uid"] = Uid(item);
        stored["metadata"]!["resourceVersion"] = $"{Age(item, all)}";
        return stored.ToJsonString();
    }

    private static long Age(JsonObject item, JsonObject[] all) => Array.IndexOf(all, item) + 1;

    private static string Uid(JsonObject item) => $"{item["kind"]}-{item["metadata"]!["name"]}";

    private static JsonObject Ask(JsonObject expected, string part, Func<string, string> answer) =>
        new(expected[part]!.AsObject().Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(answer(pair.Key)))));

    private static JsonObject Print(ServiceRoute route) => new()
    {
        ["endpoints"] = new JsonArray([.. route.Endpoints.Select(endpoint => JsonValue.Create(Print(endpoint)))]),
        ["ports"] = new JsonObject(route.Ports.Select(port => KeyValuePair.Create(
            $"{port.Port.Port} {port.Port.Name}".TrimEnd(),
            (JsonNode?)new JsonArray([.. port.Usable.Select(target => JsonValue.Create(target.Address.ToString()))])))),
    };

    private static string Print(Endpoint endpoint)
    {
        (bool Has, string Word)[] states = [(endpoint.Ready, "ready"), (endpoint.Serving, "serving"), (endpoint.Terminating, "terminating")];
        return string.Join(' ', [endpoint.Pod.Name, endpoint.Address.ToString(), .. states.Where(state => state.Has).Select(state => state.Word)]);
    }

    private static string Request(RoutingSnapshot snapshot, string request)
    {
        var slash = request.IndexOf('/', StringComparison.Ordinal);
        return RequestRouting.Decide(snapshot, request.AsSpan(0, slash), request.AsSpan(slash)) switch
        {
            Forwarding.ToService to => $"{to.Service.Service.Name}:{to.Port.Port.Port} by {to.Ingress} {to.Route}",
            Forwarding.Refuse refuse => $"{refuse.Class} {refuse.Reason}: {refuse.Text}",
            var other => other.ToString(),
        };
    }

    private static string Name(RoutingSnapshot snapshot, string question)
    {
        var parts = question.Split(' ');
        var answer = DnsAnswers.Resolve(snapshot, Zone, [.. parts[0].Split('.')], Enum.Parse<DnsRecordType>(parts[1], ignoreCase: true));
        return answer is DnsAnswer.Records records
            ? string.Join(", ", records.Answers.Select(record => record.Data switch
            {
                DnsData.Address address => address.Value.ToString(),
                DnsData.Host host => string.Join('.', host.Name),
                DnsData.Service srv => $"{srv.Priority} {srv.Weight} {srv.Port} {string.Join('.', srv.Target)}",
                var other => other.ToString(),
            }))
            : answer.GetType().Name;
    }
}
