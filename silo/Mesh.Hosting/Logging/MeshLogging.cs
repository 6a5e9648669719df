using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.Hosting.Logging;

/// <summary>Logging of both processes: text on a terminal, else JSON (node.log always), without the noise of the packages inside.</summary>
public static class MeshLogging
{
    /// <summary>Replaces whatever providers there are.</summary>
    /// <param name="level">Asked each time, so that a new level counts at once.</param>
    /// <param name="packagesAreHeard">While it says no, packages log only for somebody who debugs: what ends a start is told once.</param>
    public static ILoggingBuilder AddMesh(
        this ILoggingBuilder logging, ILogOutput output, bool asJson, Func<LogLevel> level, TimeProvider time, Func<bool>? packagesAreHeard = null)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Trace);
        // Made by the container, so that the container disposes it: the last lines are written before the process ends.
        logging.Services.AddSingleton<ILoggerProvider>(_ => new LineLoggerProvider(output, asJson, time));
        logging.AddFilter((category, wanted) => wanted >= Least(category ?? "", level(), asJson, packagesAreHeard));
        return logging;
    }

    public static bool UsesJson(string? format) => format is null ? Console.IsErrorRedirected : format == "json";

    /// <summary>
    /// Packages are heard when something is wrong, or when debugging. During a fail-over Orleans.Messaging and Polly
    /// log every failed attempt with its stack, and the watchdog takes the machine's uptime for a hang.
    /// </summary>
    private static LogLevel Least(string category, LogLevel level, bool asJson, Func<bool>? packagesAreHeard)
    {
        if (category.StartsWith("Mesh", StringComparison.Ordinal))
        {
            return !asJson && level == LogLevel.Information && IsInside(category) ? LogLevel.Warning : level;
        }

        if (level <= LogLevel.Debug)
        {
            return level;
        }

        if (packagesAreHeard?.Invoke() == false)
        {
            return LogLevel.None;
        }

        return IsNoisy(category) ? LogLevel.Critical : level > LogLevel.Error ? level : LogLevel.Error;
    }

    /// <summary>A person is told what goes wrong in these; that a store opened and a node linked goes without saying.</summary>
    private static bool IsInside(string category) =>
        category.StartsWith("Mesh.Storage", StringComparison.Ordinal)
        || category.StartsWith("Mesh.Grains", StringComparison.Ordinal)
        || category.StartsWith("Mesh.NodeLink", StringComparison.Ordinal);

    private static bool IsNoisy(string category) =>
        category.StartsWith("Orleans.Messaging", StringComparison.Ordinal)
        || category.StartsWith("Orleans.Runtime.Messaging", StringComparison.Ordinal)
        || category.StartsWith("Orleans.Networking", StringComparison.Ordinal)
        || category.StartsWith("Polly", StringComparison.Ordinal)
        || category.StartsWith("Grpc", StringComparison.Ordinal)
        || category.Contains("Watchdog", StringComparison.Ordinal)
        // Kestrel's connection errors are a client's doing.
        || category.StartsWith("Microsoft.AspNetCore.Server.Kestrel", StringComparison.Ordinal);
}
