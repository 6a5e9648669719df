using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.Listening;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>Keeps what the data plane told the Agent.</summary>
internal sealed class Suspects : ISuspects
{
    public ConcurrentQueue<string> Pods { get; } = [];

    /// <summary>What happens between an attempt that found nobody and the next.</summary>
    public Action MeanwhileDo { get; set; } = static () => { };

    public void Refused(Endpoint endpoint, IPEndPoint address)
    {
        Pods.Enqueue(endpoint.Pod.Name);
        MeanwhileDo();
    }

    public void Silent(Endpoint endpoint, IPEndPoint address) => Pods.Enqueue(endpoint.Pod.Name);
}

/// <summary>Keeps what the data plane told of ports.</summary>
internal sealed class Problems : IPortProblems
{
    private readonly Channel<PortProblem> _reported = Channel.CreateBounded<PortProblem>(100);
    private readonly Channel<PortProblem> _solved = Channel.CreateBounded<PortProblem>(100);

    /// <summary>And nobody has asked for it yet.</summary>
    public bool HasReported => _reported.Reader.TryPeek(out _);

    /// <summary>What the next report meets.</summary>
    public Exception? Fault { get; set; }

    public void Report(NamespacedName? service, PortProblem problem)
    {
        if (Fault is { } fault)
        {
            Fault = null;
            throw fault;
        }

        _reported.Writer.TryWrite(problem);
    }

    public void Solved(PortProblem problem) => _solved.Writer.TryWrite(problem);

    public async Task<PortProblem> ReportedAsync(CancellationToken stop) => await _reported.Reader.ReadAsync(stop);

    public async Task<IPEndPoint> SolvedAsync(CancellationToken stop) => (await OverAsync(stop)).Address;

    public async Task<PortProblem> OverAsync(CancellationToken stop) => await _solved.Reader.ReadAsync(stop);
}
