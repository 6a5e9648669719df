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

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
var tell = new Teller(Console.Out, !Console.IsOutputRedirected);
await using var cluster = Cluster.Create();
var ended = false;
try
{
    using var story = new Story(cluster, tell, stop.Token);
    await story.TellAsync();
    if (!exit)
    {
        Hints.Print(tell, cluster);
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop.Token);
    }

    ended = true;
}
catch (OperationCanceledException)
{
    ended = true;
}
catch (Exception error) when (error is DemoException or HttpRequestException)
{
    tell.Fact(false, error.Message);
}

var keep = !ended || !tell.AllTrue;
var clean = await cluster.EndAsync(keep);
if (keep)
{
    tell.Say($"logs and data are kept in {cluster.Home}");
}

tell.Fact(clean, "every process that the demo started has ended");
return tell.AllTrue ? 0 : 1;
