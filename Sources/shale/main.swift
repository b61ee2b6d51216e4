print("shale")
