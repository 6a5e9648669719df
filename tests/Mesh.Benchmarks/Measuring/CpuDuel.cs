namespace Mesh.Benchmarks.Measuring;

/// <summary>
/// Processor time per operation of two processes under the same load, in turns: what else the machine does in one round
/// meets both, and the ratio is the median of the rounds' ratios.
/// </summary>
internal sealed class CpuDuel(int pid, int peerPid, Func<TimeSpan, long> load, Func<TimeSpan, long> peerLoad)
{
    private const int Rounds = 7;
    // Long enough for the second tier of compiled code, and for PGO's.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(4);

    private readonly Sample _own = new();
    private readonly Sample _peer = new();
    private readonly Sample _ratio = new();
    private readonly Sample _rate = new();
    private readonly Sample _peerRate = new();

    /// <param name="divisor">Operations that one figure counts, such as 1 for a request.</param>
    public void Run(string what, string unit, string peer, double budget, double divisor = 1)
    {
        load(WarmUp);
        peerLoad(WarmUp);
        for (var round = 0; round < Rounds; round++)
        {
            var own = PerOperation(pid, load, _rate) * divisor;
            var other = PerOperation(peerPid, peerLoad, _peerRate) * divisor;
            _own.Add(own);
            _peer.Add(other);
            _ratio.Add(own / other);
        }

        Report.Ratio(what, unit, _own.Median, peer, _peer.Median, _ratio.Median, budget);
        Report.Note(FormattableString.Invariant(
            $"ratio of the rounds {_ratio.Percentile(1):F2} to {_ratio.Percentile(100):F2}; {_rate.Median:N0} and {_peerRate.Median:N0} operations/s"));
    }

    private static double PerOperation(int pid, Func<TimeSpan, long> load, Sample rate)
    {
        var before = ProcessUse.CpuMicroseconds(pid);
        var count = load(Round);
        rate.Add(count / Round.TotalSeconds);
        return (ProcessUse.CpuMicroseconds(pid) - before) / count;
    }
}
