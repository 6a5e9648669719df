using System.Globalization;
using System.Security.Authentication;
using Mesh.Core.Clocks;
using Mesh.Hosting.Certificates;
using Mesh.Loops;

namespace Mesh.Silo.Certificates;

/// <summary>
/// Hears what Kestrel says of failed handshakes, at a level that nobody reads, and says the first of each minute with what
/// most often is behind it: the dates of the certificate and the clock.
/// </summary>
internal sealed class HandshakeFailures(ServingCertificate certificate, TimeProvider time, IServiceProvider services) : ILoggerProvider, ILogger
{
    private const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel.Https";

    private readonly ToldSeldom _failures = new(time);

    public static bool Listens(string? category, LogLevel level) =>
        level >= LogLevel.Debug && category?.StartsWith(Kestrel, StringComparison.Ordinal) == true;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Debug;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        // Who only connects and goes (a port scan, a health check) says nothing that a person could act on.
        if (exception is not AuthenticationException || _failures.Count() is not (> 0 and var times))
        {
            return;
        }

        var shown = certificate.Current.TargetCertificate;
        services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(HandshakeFailures).FullName!).HandshakeFailed(
            Reason(exception), Moment(shown.NotBefore.ToUniversalTime()), Moment(shown.NotAfter.ToUniversalTime()), Moment(WallClock.Now(time).UtcDateTime), times - 1);
    }

    public void Dispose()
    {
    }

    /// <summary>The innermost message: the alert that the client sent, or what OpenSSL refused.</summary>
    private static string Reason(Exception failure)
    {
        var reason = failure.GetBaseException().Message;
        return reason.EndsWith('.') ? reason : reason + ".";
    }

    private static string Moment(DateTime moment) => moment.ToString("u", CultureInfo.InvariantCulture);
}
