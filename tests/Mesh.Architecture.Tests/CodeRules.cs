using System.Text.RegularExpressions;

namespace Mesh.Architecture.Tests;

/// <summary>Rules that the text of the code must keep and no analyzer checks.</summary>
internal static partial class CodeRules
{
    private const int MaxLines = 400;

    /// <summary>
    /// Whoever comes in here writes the time for people, and takes the difference of no two readings: what lasts is counted
    /// with <c>TimeProvider.GetTimestamp</c>.
    /// </summary>
    private static readonly HashSet<string> WallClockReaders =
    [
        "src/Mesh.Core/Clocks/WallClock.cs",
        // Times of documents.
        "src/Mesh.Agent/Pods/PodAdmission.cs",
        "src/Mesh.ApiServer/Requests/Reads.cs",
        "src/Mesh.ApiServer/Writing/Admission.cs",
        "src/Mesh.Grains/Events/EventRecorder.cs",
        "src/Mesh.Grains/Ingresses/IngressGrain.cs", // also whether a certificate is valid
        "src/Mesh.Grains/Keeping/ObjectEnds.cs",
        "src/Mesh.Grains/Nodes/NodeGrain.cs",
        "src/Mesh.Grains/Objects/FinalizedRules.cs",
        "src/Mesh.Grains/Pods/PodGrain.cs",
        "src/Mesh.Grains/Pods/PodRegistration.cs",
        "src/Mesh.Grains/Pods/PodRules.cs",
        "src/Mesh.Grains/Pods/ShownStatus.cs",
        "src/Mesh.Grains/Projections/EndpointProjection.cs",
        "src/Mesh.Grains/Services/AllocationRow.cs",
        // A wall time that goes evenly from its start on.
        "src/Mesh.Grains/Activations/EvenClock.cs",
        // Ages that kubectl shows: between an object's own time and now.
        "src/Mesh.ApiServer/Printing/Presenter.cs",
        // The Date of an answer, and lines.
        "src/Mesh.DataPlane/L7/Strict/StrictRequestReader.cs",
        "src/Mesh.DataPlane/L7/Tls/TlsStep.cs",
        "silo/Mesh.Hosting/Logging/LineLoggerProvider.cs",
        "silo/Mesh.Silo/SiloProcess.cs", // also since when an authority is valid
        // Validity of certificates.
        "client/Mesh.Demo/Https.cs",
        "silo/Mesh.Hosting/Certificates/ServingCertificate.cs",
        "silo/Mesh.Silo/Certificates/HandshakeFailures.cs",
    ];

    /// <summary>Tasks that are awaited by those who asked for them, and the log's loop, which tells of its own exceptions.</summary>
    private static readonly string[] Watched =
        ["src/Mesh.Grains/Nodes/NodeGrain.cs", "src/Mesh.Storage/Caching/CounterLooks.cs", "silo/Mesh.Hosting/Logging/LineLoggerProvider.cs"];

    private static readonly string[] RunsLoops = ["src/", "silo/", "client/Mesh.Client", "client/Mesh.ServiceDiscovery/"];

    public static IEnumerable<Rule> All =>
    [
        new(
            "No task is thrown away",
            tree => Lines(tree, tree.Code(), DiscardedTask()),
            [("src/Mesh.Planted/A.cs", "_ = SendAsync();")]),
        new(
            "What runs on after the call that began it is a loop of ProcessLoops, in an application of ClientLoop, so that its end is told",
            tree => from file in tree.ProductCode()
                    where RunsLoops.Any(folder => file.StartsWith(folder, StringComparison.Ordinal))
                        && !file.StartsWith("src/Mesh.Loops/", StringComparison.Ordinal) && !Watched.Contains(file)
                    from match in BegunTask().Matches(tree.Read(file))
                    where !OfProcessLoops().IsMatch(match.Value)
                    select $"{file}: {match.Value.Trim()}",
            [
                ("src/Mesh.Planted/A.cs", "        _loop = FollowAsync(_stop.Token);"),
                ("src/Mesh.Planted/B.cs", "        _tasks.Add(server.RunAsync(_stop.Token));"),
                ("src/Mesh.Planted/C.cs", "        var running = Task.Run(Follow, stop);"),
                ("silo/Mesh.Planted/D.cs", "    protected override async Task ExecuteAsync(CancellationToken stoppingToken)\n    {"),
            ]),
        new(
            "No field is qualified (the build leaves IDE0003 to dotnet format)",
            tree => Lines(tree, tree.Code(), QualifiedField()),
            [("src/Mesh.Planted/A.cs", "this._pods = pods;")]),
        new(
            "No type is named for lack of a better name",
            tree => Lines(tree, tree.Code(), VagueName()),
            [("src/Mesh.Planted/A.cs", "internal sealed class PodManager")]),
        new(
            "Log lines live in one Log file per project",
            tree => OnlyIn(tree, LoggerMessage(), "Log.cs"),
            [("src/Mesh.Planted/Mesh.Planted.csproj", "<Project/>"), ("src/Mesh.Planted/A.cs", "[LoggerMessage(EventId = 1)]")]),
        new(
            "Instruments live in one Metrics file per project",
            tree => OnlyIn(tree, Instrument(), "Metrics.cs"),
            [("src/Mesh.Planted/Mesh.Planted.csproj", "<Project/>"), ("src/Mesh.Planted/A.cs", "meter.CreateCounter<long>(\"mesh.x\");")]),
        new(
            "JSON is written by one encoder, which leaves text as it is",
            tree => Lines(tree, tree.ProductCode().Where(file => !file.StartsWith("silo/Mesh.Hosting/", StringComparison.Ordinal)), OtherJson()),
            [
                ("src/Mesh.Planted/A.cs", "var text = JsonSerializer.SerializeToUtf8Bytes(document);"),
                ("src/Mesh.Planted/B.cs", "using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true });"),
                ("src/Mesh.Planted/C.cs", "private readonly Utf8JsonWriter _writer = new(output);"),
                ("src/Mesh.Planted/D.cs", "var text = node.ToJsonString();"),
            ]),
        new(
            "The wall clock is read only where a time is written, shown or compared with a certificate's",
            tree => from file in tree.ProductCode()
                    where WallClockRead().IsMatch(tree.Read(file)) && !WallClockReaders.Contains(file)
                    select file,
            [
                ("src/Mesh.Planted/A.cs", "private readonly DateTimeOffset _began = WallClock.Now(time);"),
                ("silo/Mesh.Planted/B.cs", "#pragma warning disable RS0030 // a reason\nvar age = time.GetUtcNow() - began;"),
            ]),
        new(
            "A suppression carries its reason",
            tree => Lines(tree, tree.Code(), BareSuppression()),
            [("src/Mesh.Planted/A.cs", "#pragma warning disable CA1031\n")]),
        new(
            "A file holds one idea",
            tree => from file in tree.Code()
                    let lines = tree.Read(file).AsSpan().Count('\n')
                    where lines > MaxLines
                    select $"{file}: {lines} lines",
            [("src/Mesh.Planted/A.cs", new string('\n', MaxLines + 1))]),
        new(
            "The namespace is the folder",
            WrongNamespaces,
            [("src/Mesh.Planted/Mesh.Planted.csproj", "<Project/>"), ("src/Mesh.Planted/Sub/A.cs", "namespace Mesh.Planted;\n")]),
    ];

    private static IEnumerable<string> Lines(SourceTree tree, IEnumerable<string> files, Regex pattern) =>
        from file in files
        where !file.StartsWith("tests/Mesh.Architecture.Tests/", StringComparison.Ordinal)
        from match in pattern.Matches(tree.Read(file))
        select $"{file}: {match.Value.Trim()}";

    private static IEnumerable<string> OnlyIn(SourceTree tree, Regex pattern, string ending)
    {
        var found = tree.ProductCode().Where(file => pattern.IsMatch(tree.Read(file))).ToList();
        var elsewhere = found.Where(file => !file.EndsWith(ending, StringComparison.Ordinal));
        var second = found.GroupBy(tree.ProjectOf).SelectMany(files => files.Skip(1));
        return elsewhere.Concat(second).Distinct();
    }

    private static IEnumerable<string> WrongNamespaces(SourceTree tree)
    {
        foreach (var file in tree.Code())
        {
            var declared = DeclaredNamespace().Match(tree.Read(file));
            if (!declared.Success || tree.ProjectOf(file) is not { } project)
            {
                continue;
            }

            var home = Path.GetDirectoryName(project)!;
            var below = Path.GetRelativePath(home, Path.GetDirectoryName(file)!).Replace('/', '.');
            var expected = Path.GetFileNameWithoutExtension(project) + (below == "." ? "" : "." + below);
            if (declared.Groups[1].Value != expected && !IsWhereAnApplicationLooks(file, declared.Groups[1].Value))
            {
                yield return $"{file}: {declared.Groups[1].Value}, not {expected}";
            }
        }
    }

    /// <summary>Extension methods of the SDK stand where those of ASP.NET Core do, so that no using is needed.</summary>
    private static bool IsWhereAnApplicationLooks(string file, string declared) =>
        (file.StartsWith("client/Mesh.Client.", StringComparison.Ordinal) || file.StartsWith("client/Mesh.ServiceDiscovery/", StringComparison.Ordinal))
        && file.EndsWith("Extensions.cs", StringComparison.Ordinal)
        && declared is "Microsoft.Extensions.Hosting" or "Microsoft.AspNetCore.Builder" or "Microsoft.Extensions.DependencyInjection";

    [GeneratedRegex(@"^\s*_ = [^;]*Async\(", RegexOptions.Multiline)]
    private static partial Regex DiscardedTask();

    // Kept in a field without being awaited; handed to a pool or a thread of its own; or a service of the host.
    [GeneratedRegex(
        @"^[^\n/]*(?<!\w)_\w+ = (?![^;]*\bawait\b)[^;=]*(?<!Dispose)Async\([^;]*;|^[^\n/]*(?<!\w)_\w+\.Add\((?![^;]*\bawait\b)[^;]*(?<!Dispose)Async\([^;]*;|^(?![^\n]*(await|/// |// ))[^\n]*(?<!=> |return )(Task\.Run\(|Factory\.StartNew\(|new Thread\()[^;]*;|override (async )?Task ExecuteAsync\([^{;]*[{;]",
        RegexOptions.Multiline)]
    private static partial Regex BegunTask();

    [GeneratedRegex(@"[lL]oops\.Run(ToEnd|OrEndProcess)?Async\(|\bClientLoop\.RunAsync\(|RunAsync\((_?loops|_processLoops), ")]
    private static partial Regex OfProcessLoops();

    [GeneratedRegex(@"\bthis\._\w+")]
    private static partial Regex QualifiedField();

    [GeneratedRegex(@"\b(class|record|struct|interface|enum) \w*(Manager|Helper|Helpers|Util|Utils|Utilities|Common|Base|Impl|Info|Processor|Engine)\b")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"\[LoggerMessage\b")]
    private static partial Regex LoggerMessage();

    [GeneratedRegex(@"\.Create(Counter|Histogram|UpDownCounter|Gauge|Observable\w+)<")]
    private static partial Regex Instrument();

    // NodeOptionsJson is made when the code is built and read by Mesh alone.
    [GeneratedRegex(@"(JsonSerializer\.Serialize\w*\(|new Utf8JsonWriter\(|Utf8JsonWriter \w+ = new\(|\.ToJsonString\()((?!MeshJson\.|NodeOptionsJson\.)[^;])*;")]
    private static partial Regex OtherJson();

    [GeneratedRegex(@"^\s*#pragma warning disable [A-Z0-9, ]+$|\[(assembly: )?SuppressMessage\((?![^\]]*Justification)[^\]]*\]", RegexOptions.Multiline)]
    private static partial Regex BareSuppression();

    [GeneratedRegex(@"\bWallClock\.Now\(|\.Get(Utc|Local)Now\(|\bDate(TimeOffset|Time)\.(Utc)?Now\b")]
    private static partial Regex WallClockRead();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex DeclaredNamespace();
}
