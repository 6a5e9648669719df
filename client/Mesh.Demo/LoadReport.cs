using System.Diagnostics;
using System.Globalization;

namespace Mesh.Demo;

/// <summary>Judges what the load saw.</summary>
internal sealed class LoadReport(Teller tell)
{
    /// <summary>Nobody that takes traffic was killed: every request must have been answered.</summary>
    public void OnlyAnswers(List<Attempt> attempts, string when)
    {
        var failed = attempts.Where(attempt => attempt.Failure is not null).ToList();
        tell.Fact(attempts.Count > 0 && failed.Count == 0, $"{when} {attempts.Count - failed.Count} requests were answered, {failed.Count} failed{Why(failed)}");
    }

    /// <summary>A Pod was killed between two time stamps, and the kernel has closed what it had by the second.</summary>
    public void Death(List<Attempt> attempts, string pod, long killed, long gone)
    {
        if (attempts.Count == 0)
        {
            tell.Fact(false, $"no request was made while {pod} was killed");
            return;
        }

        // Told and not judged, as it says more of the machine than of Mesh.
        var rate = attempts.Count / Stopwatch.GetElapsedTime(attempts.Min(attempt => attempt.Began), attempts.Max(attempt => attempt.Ended)).TotalSeconds;
        tell.Fact(true, string.Create(CultureInfo.InvariantCulture, $"{attempts.Count} requests, {rate:F0} a second, while {pod} was killed"));
        Ingress([.. attempts.Where(attempt => attempt.Way == Load.Ingress)]);
        ClusterIP([.. attempts.Where(attempt => attempt.Way == Load.ClusterIP)], pod, killed, gone);
        var reached = attempts.Where(attempt => attempt.Pod == pod || attempt.Failure is not null).Select(attempt => attempt.Began).DefaultIfEmpty(killed).Max();
        tell.Fact(
            attempts.Any(attempt => attempt.Began > reached && attempt.Failure is null),
            reached > killed ? $"the last attempt to reach it began {Teller.Ms(Stopwatch.GetElapsedTime(killed, reached))} after the kill" : "no attempt to reach it began after the kill");
    }

    /// <summary>A request that met the death is tried on another Pod.</summary>
    private void Ingress(List<Attempt> attempts)
    {
        var failed = attempts.Where(attempt => attempt.Failure is not null).ToList();
        tell.Fact(attempts.Count > 0 && failed.Count == 0, $"{Load.Ingress}: {attempts.Count} requests, {failed.Count} failed{Why(failed)}");
    }

    /// <summary>
    /// What a client had open to the killed process breaks with it, as on any network. That is one connection a loop, and
    /// one more for each turn of the loop while the kernel ends the process: its listening socket may be the last thing
    /// closed. Whatever is refused, not answered, or began later is a failure of the Service.
    /// </summary>
    private void ClusterIP(List<Attempt> attempts, string pod, long killed, long gone)
    {
        var failed = attempts.Where(attempt => attempt.Failure is not null).ToList();
        var inexcusable = failed.Where(attempt => !(attempt.Broke && attempt.Began <= gone && attempt.Ended >= killed)).ToList();
        var excused = failed.Count - inexcusable.Count;
        var dying = Stopwatch.GetElapsedTime(killed, gone);
        var most = Load.NewConnectionLoops * (1 + Math.Ceiling(dying / Load.Pace));
        var why = inexcusable.Count > 0 ? Why(inexcusable)
            : excused > 0 ? $", on connections to {pod} that were open during the {Teller.Ms(dying)} of its death (at most {most})"
            : "";
        tell.Fact(
            attempts.Count > 0 && inexcusable.Count == 0 && excused <= most,
            $"{Load.ClusterIP}: {attempts.Count} requests, {failed.Count} failed{why}");
    }

    private static string Why(List<Attempt> failed) => failed.Count == 0 ? "" : $" ({failed[0].Failure})";
}
