basic_auth = ["hematovision:dev"]
