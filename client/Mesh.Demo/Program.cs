using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Mesh.Demo;

if (!OperatingSystem.IsLinux())
{
    Console.Error.WriteLine("Mesh runs on Linux.");
    return 2;
}

var exit = args.Contains("--exit");
if (args.Any(argument => argument != "--exit"))
{
    Console.Error.WriteLine("usage: Mesh.Demo [--exit]   (--exit: end after the last fact)");
    return 2;
}

var clock = Stopwatch.StartNew();
using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, End);
var tell = new Teller(Console.Out, !Console.IsOutputRedirected);
await using var spans = SpanReceiver.OfUser is null ? await SpanReceiver.StartAsync(stop.Token) : null;
await using var cluster = Cluster.Create(spans?.Variables ?? new Dictionary<string, string>());
var interrupted = false;
try
{
    using var story = new Story(cluster, spans, tell, stop.Token);
    await story.TellAsync();
    if (!exit)
    {
        Hints.Print(tell, cluster);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop.Token);
    }
}
catch (Exception error) when (IsExpected(error) && stop.IsCancellationRequested)
{
    interrupted = true;
}
catch (Exception error) when (IsExpected(error))
{
    tell.Fact(false, error.Message);
}

var keep = !tell.AllTrue;
var left = await cluster.EndAsync(keep);
if (keep)
{
    tell.Say($"logs and data are kept in {cluster.Home}");
}

tell.Fact(left.Count == 0, left.Count == 0 ? "every process that the demo started has ended" : $"still running: {string.Join(", ", left)}");
if (exit)
{
    if (!interrupted && !cluster.EndedInOrder)
    {
        tell.Fact(false, "mesh-silo did not end in order");
    }

    // How long it took is told and not judged: it says more of the machine than of Mesh.
    tell.Fact(!interrupted, interrupted ? "the story was interrupted" : $"all of it in {clock.Elapsed.TotalSeconds:F0} s");
}

return tell.AllTrue ? 0 : 1;

void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

// What a part of the story that fails looks like from here; anything else is a bug of the demo itself.
static bool IsExpected(Exception error) =>
    error is DemoException or HttpRequestException or IOException or JsonException or Win32Exception
        or InvalidOperationException or OperationCanceledException or KeyNotFoundException or FormatException;
