using System.Reflection;
using Mesh.Hosting.Options;

namespace Mesh.Hosting.Processes;

/// <summary>How a program that cannot start, or failed, tells it: one line on standard error, and its exit code.</summary>
public static class LastWords
{
    private const int LongestLine = 2_000;

    /// <summary>
    /// What <paramref name="run"/> answers. Whatever it throws becomes one line; the rest of it, with its stack, follows
    /// only for somebody who debugs.
    /// </summary>
    public static async Task<int> OrAnswerAsync(string program, Func<bool> isDebugging, Func<Task<int>> run)
    {
#pragma warning disable CA1031 // there is no failure that should end a program with a stack trace and a core dump
        try
        {
            return await run();
        }
        catch (Exception failure)
        {
            var refused = failure as StartRefusedException;
            Say(program, Describe(failure));
            if (isDebugging())
            {
                Console.Error.WriteLine(Secrets.Hide((refused?.InnerException ?? failure).ToString()));
            }

            return refused is null ? ExitCode.Failed : ExitCode.Refused;
        }
#pragma warning restore CA1031
    }

    public static int Refuse(string program, string line)
    {
        Say(program, line);
        return ExitCode.Refused;
    }

    /// <summary>One line. Messages about files and memory stand for themselves; of any other failure the type is told too.</summary>
    public static string Describe(Exception failure) => failure switch
    {
        StartRefusedException => failure.Message,
        AggregateException { InnerExceptions: [var first, ..] } => Describe(first),
        TypeInitializationException { InnerException: { } inner } => Describe(inner),
        TargetInvocationException { InnerException: { } inner } => Describe(inner),
        OutOfMemoryException => "there is not enough memory (is a limit set, such as ulimit -v?)",
        IOException or UnauthorizedAccessException => failure.Message,
        _ => $"{failure.GetType().Name}: {failure.Message}",
    };

    private static void Say(string program, string line)
    {
        var said = Secrets.Hide(string.Join(' ', line.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)));
        Console.Error.WriteLine($"{program}: {(said.Length > LongestLine ? said[..LongestLine] + "…" : said)}");
    }
}
