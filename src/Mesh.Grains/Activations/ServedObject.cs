using Mesh.Grains.Objects;

namespace Mesh.Grains.Activations;

/// <summary>Grains that are there for one object, and end with it.</summary>
internal static class ServedObject
{
    /// <summary>
    /// So long after it began, an activation looks whether its object is there: it may have been made for a call that was taken
    /// back before it ran, as late words about what is gone are, or beside a cache that had not followed the end yet.
    /// </summary>
    private static readonly TimeSpan LookAfter = TimeSpan.FromSeconds(2);

    /// <summary>Ends the activation when there is no object to serve, nor one on its way.</summary>
    public static void EndWith(this IGrainBase grain, OwnedObject served)
    {
        if (served.IsAbsent)
        {
            grain.DeactivateOnIdle();
        }
    }

    /// <summary>Once, soon after the activation began: looks, and ends it with its object.</summary>
    public static void LookSoon(this IGrainBase grain, OwnedObject served, Func<CancellationToken, Task> look) => grain.RegisterGrainTimer(
        async stop =>
        {
            await look(stop);
            grain.EndWith(served);
        },
        new GrainTimerCreationOptions(LookAfter, Timeout.InfiniteTimeSpan) { Interleave = true });
}
