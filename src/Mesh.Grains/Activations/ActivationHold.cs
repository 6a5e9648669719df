namespace Mesh.Grains.Activations;

/// <summary>
/// Keeps an activation for as long as it alone knows something, such as what waits to be written however long the store or
/// the pace takes: a timer that ticks counts as use.
/// </summary>
internal sealed class ActivationHold(IGrainBase grain) : IDisposable
{
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(30);

    private IDisposable? _timer;

    public void Set(bool isHeld)
    {
        _timer?.Dispose();
        _timer = isHeld
            ? grain.RegisterGrainTimer(static _ => Task.CompletedTask, new GrainTimerCreationOptions(TickEvery, TickEvery) { KeepAlive = true, Interleave = true })
            : null;
    }

    public void Dispose() => _timer?.Dispose();
}
