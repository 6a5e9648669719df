using Mesh.Grains.Abstractions.Nodes;

namespace Mesh.Grains.Pods;

/// <summary>The commit of a report that is under way: whoever asks again meanwhile waits for the same. For one grain.</summary>
internal sealed class ReportCommits(Func<PodReport, Task<PodReportReply>> commit)
{
    private (string Uid, bool IsEnded, long Version, Task<PodReportReply> Reply)? _committing;

    public Task<PodReportReply> Of(PodReport report)
    {
        if (_committing is not { Reply.IsCompleted: false } running
            || (running.Uid, running.IsEnded, running.Version) != (report.Uid, report.IsEnded, report.RegistrationVersion))
        {
            _committing = running = (report.Uid, report.IsEnded, report.RegistrationVersion, commit(report));
        }

        return running.Reply;
    }
}
