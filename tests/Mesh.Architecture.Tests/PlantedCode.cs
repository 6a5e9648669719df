namespace Mesh.Architecture.Tests;

/// <summary>A file that one rule of the build must refuse.</summary>
/// <param name="Code">Of the error; empty for a file that must pass.</param>
internal sealed record PlantedFile(string Project, string Name, string Code, string Text)
{
    public string Path => $"src/{Project}/{Name}.cs";
}

/// <summary>One file for each banned symbol and for each rule of <c>.editorconfig</c> and the build's properties.</summary>
internal static class PlantedCode
{
    private const string Ordinary = "Mesh.Planted";
    private const string Core = "Mesh.Core";

    /// <summary>Each line of <c>BannedSymbols.txt</c>, and a statement that uses the symbol.</summary>
    public static IReadOnlyDictionary<string, string> Banned { get; } = new Dictionary<string, string>
    {
        ["P:System.DateTime.Now"] = "_ = DateTime.Now;",
        ["P:System.DateTime.UtcNow"] = "_ = DateTime.UtcNow;",
        ["P:System.DateTimeOffset.Now"] = "_ = DateTimeOffset.Now;",
        ["P:System.DateTimeOffset.UtcNow"] = "_ = DateTimeOffset.UtcNow;",
        ["P:System.Random.Shared"] = "_ = Random.Shared;",
        ["M:System.Guid.NewGuid"] = "_ = Guid.NewGuid();",
        ["M:System.Threading.Thread.Sleep(System.Int32)"] = "Thread.Sleep(1);",
        ["M:System.Threading.Thread.Sleep(System.TimeSpan)"] = "Thread.Sleep(TimeSpan.Zero);",
        ["M:System.Threading.Tasks.Task.Delay(System.Int32)"] = "_ = Task.Delay(1);",
        ["M:System.Threading.Tasks.Task.Delay(System.TimeSpan)"] = "_ = Task.Delay(TimeSpan.Zero);",
        ["M:System.Threading.Tasks.Task.Delay(System.Int32,System.Threading.CancellationToken)"] = "_ = Task.Delay(1, stop);",
        ["M:System.Threading.Tasks.Task.Delay(System.TimeSpan,System.Threading.CancellationToken)"] = "_ = Task.Delay(TimeSpan.Zero, stop);",
        ["M:System.Threading.Channels.Channel.CreateUnbounded``1"] = "_ = System.Threading.Channels.Channel.CreateUnbounded<int>();",
        ["M:System.Threading.Channels.Channel.CreateUnbounded``1(System.Threading.Channels.UnboundedChannelOptions)"] =
            "_ = System.Threading.Channels.Channel.CreateUnbounded<int>(new System.Threading.Channels.UnboundedChannelOptions());",
        ["P:System.Threading.Tasks.Task`1.Result"] = "_ = task.Result;",
        ["M:System.Threading.Tasks.Task.Wait"] = "task.Wait();",
        ["M:System.Threading.Tasks.Task.Wait(System.TimeSpan)"] = "_ = task.Wait(TimeSpan.Zero);",
        ["M:System.Threading.Tasks.Task.Wait(System.TimeSpan,System.Threading.CancellationToken)"] = "_ = task.Wait(TimeSpan.Zero, stop);",
        ["M:System.Threading.Tasks.Task.Wait(System.Int32)"] = "_ = task.Wait(1);",
        ["M:System.Threading.Tasks.Task.Wait(System.Int32,System.Threading.CancellationToken)"] = "_ = task.Wait(1, stop);",
        ["M:System.Threading.Tasks.Task.Wait(System.Threading.CancellationToken)"] = "task.Wait(stop);",
    };

    /// <summary>Each line of <c>BannedSymbols.Product.txt</c>.</summary>
    public static IReadOnlyDictionary<string, string> BannedInProduct { get; } = new Dictionary<string, string>
    {
        ["M:System.TimeProvider.GetUtcNow"] = "_ = TimeProvider.System.GetUtcNow();",
        ["M:System.TimeProvider.GetLocalNow"] = "_ = TimeProvider.System.GetLocalNow();",
        ["P:System.Environment.TickCount"] = "_ = Environment.TickCount;",
        ["P:System.Environment.TickCount64"] = "_ = Environment.TickCount64;",
    };

    /// <summary>Each line of <c>BannedSymbols.Core.txt</c>.</summary>
    public static IReadOnlyDictionary<string, string> BannedInCore { get; } = new Dictionary<string, string>
    {
        ["N:System.IO"] = "_ = System.IO.Path.PathSeparator;",
        ["N:System.Net.Sockets"] = "_ = System.Net.Sockets.SocketError.Success;",
        ["N:System.Threading.Tasks"] = "_ = System.Threading.Tasks.Task.CompletedTask;",
        ["T:System.TimeProvider"] = "_ = TimeProvider.System;",
        ["T:System.Diagnostics.Process"] = "_ = System.Diagnostics.Process.GetCurrentProcess();",
        ["T:System.Diagnostics.Activity"] = "_ = System.Diagnostics.Activity.Current;",
        ["T:System.Diagnostics.Stopwatch"] = "_ = System.Diagnostics.Stopwatch.GetTimestamp();",
    };

    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> BannedBy { get; } =
        new Dictionary<string, IReadOnlyDictionary<string, string>>
        {
            ["BannedSymbols.txt"] = Banned,
            ["BannedSymbols.Product.txt"] = BannedInProduct,
            ["BannedSymbols.Core.txt"] = BannedInCore,
        };

    public static IReadOnlyList<PlantedFile> All { get; } =
    [
        .. Banned.Values.Select((statement, index) => Statement(Ordinary, $"Banned{index}", "RS0030", statement)),
        .. BannedInProduct.Values.Select((statement, index) => Statement(Ordinary, $"BannedInProduct{index}", "RS0030", statement)),
        .. BannedInCore.Values.Select((statement, index) => Statement(Core, $"BannedInCore{index}", "RS0030", statement)),
        // What is banned everywhere is banned in Core too.
        Statement(Core, "Clock", "RS0030", "_ = DateTime.UtcNow;"),
        Statement(Ordinary, "Clean", "", "_ = stop.IsCancellationRequested || task.IsCompleted;"),
        new(Core, "CleanCore", "", "namespace Mesh.Core;\n\ninternal sealed record CleanCore(int Value);\n"),
        Statement(Ordinary, "ExplicitType", "IDE0007", "int one = 1;\n        _ = one;"),
        Statement(Ordinary, "NoBraces", "IDE0011", "if (stop.IsCancellationRequested) task.Dispose();"),
        Statement(Ordinary, "SwallowedException", "CA1031", "try\n        {\n            task.Dispose();\n        }\n        catch (Exception)\n        {\n        }"),
        Statement(Ordinary, "Undisposed", "CA2000", "var file = new FileStream(\"a\", FileMode.Open);\n        _ = file.Length;"),
        Statement(Ordinary, "UnusedValue", "IDE0059", "var one = stop.GetHashCode();\n        one = 2;\n        _ = one;"),
        Statement(Ordinary, "UnusedVariable", "CS0168", "object one;"), // a plain warning: all of them are errors
        Statement(Ordinary, "PerhapsNull", "CS8602", "_ = Environment.GetEnvironmentVariable(\"A\").Length;"),
        Statement(Ordinary, "HalfSwitch", "CS8509", "_ = task.Status switch { TaskStatus.Created => 1 };"),
        Member("UnusedMember", "IDE0051", "private static int One() => 1;"),
        Member("Mutable", "IDE0044", "private int _one = 1;\n\n    public int Two() => _one + 1;"),
        Member("FieldName", "IDE1006", "private readonly int one = 1;\n\n    public int Two() => one + 1;"),
        Member("StaticName", "IDE1006", "private static readonly int _one = Environment.ProcessId;\n\n    public static int Two() => _one + 1;"),
        Member("NoModifier", "IDE0040", "int One() => GetHashCode();\n\n    public int Two() => One() + 1;"),
        Member("TokenKept", "CA2016", "public static Task WriteAsync(Stream to, byte[] bytes, CancellationToken stop) => stop.IsCancellationRequested ? Task.CompletedTask : to.WriteAsync(bytes, 0, 1);"),
        Member("ValueTaskLost", "CA2012", "public static void Close(Stream stream)\n    {\n        stream.DisposeAsync();\n    }"),
        Member("LogCall", "CA1848", "public static void Log(Microsoft.Extensions.Logging.ILogger log) => Microsoft.Extensions.Logging.LoggerExtensions.LogInformation(log, \"A\");"),
        new(Ordinary, "Unsealed", "CA1852", "namespace Mesh.Planted;\n\ninternal class Unsealed\n{\n    public int One() => GetHashCode();\n}\n"),
        new(Ordinary, "BlockNamespace", "IDE0161", "namespace Mesh.Planted\n{\n    internal sealed record BlockNamespace(int One);\n}\n"),
        new(Ordinary, "UnusedUsing", "IDE0005", "using System.Text;\n\nnamespace Mesh.Planted;\n\ninternal sealed record UnusedUsing(int One);\n"),
        new(Ordinary, "UsingInside", "IDE0065", "namespace Mesh.Planted;\n\nusing System.Text;\n\ninternal sealed record UsingInside(StringBuilder One);\n"),
    ];

    private static PlantedFile Statement(string project, string name, string code, string statement)
    {
        var parameters = project == Core ? "" : "Task<int> task, CancellationToken stop";
        var method = $"public static void Use({parameters})\n    {{\n        {statement}\n    }}";
        return new PlantedFile(project, name, code, $"namespace {project};\n\ninternal static class {name}\n{{\n    {method}\n}}\n");
    }

    private static PlantedFile Member(string name, string code, string member) =>
        new(Ordinary, name, code, $"namespace {Ordinary};\n\ninternal sealed class {name}\n{{\n    {member}\n}}\n");
}
