"""What every model server needs, whatever the model: folder, socket, readiness, queue, end."""
