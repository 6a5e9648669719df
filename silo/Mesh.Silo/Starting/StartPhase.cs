namespace Mesh.Silo.Starting;

/// <summary>Whether the silo is still starting: until then a failure is a refusal, told in one line by whoever started it.</summary>
internal sealed class StartPhase
{
    private volatile bool _isOver;

    public bool IsOver => _isOver;

    public void End() => _isOver = true;
}
